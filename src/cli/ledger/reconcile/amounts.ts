import { roundedNanoUsd } from '../../../core/model/price.ts'
import { UnreadableBill } from './unreadable-bill.ts'

/** An amount as it is written, and where. */
export type Written = { readonly text: string; readonly place: string }

/**
 * The amounts of one column in nano-USD: `$1,234.50`, `1.234,50`, `(3.20)`, `-0,5 USD`. One column has one decimal mark.
 * Throws UnreadableBill for another currency, and where the mark cannot be known.
 */
export function readAmounts(column: readonly Written[], separator: string): readonly number[] {
  const bare = column.map(({ text, place }) => ({ ...bareOf(text), text, place }))
  const mark = decimalMark(bare, separator)
  return bare.map(({ digits, isNegative, text, place }) => {
    const plain = plainOf(digits, mark)
    if (plain === undefined) throw notAnAmount(text, place)
    // A credit is negative.
    return nanoOf(isNegative ? -Number(plain) : Number(plain), place)
  })
}

/** An amount in nano-USD. Throws UnreadableBill with the place. */
export function nanoOf(usd: number, place: string): number {
  try {
    return usd < 0 ? -roundedNanoUsd(-usd) : roundedNanoUsd(usd)
  } catch {
    throw notAnAmount(String(usd), place)
  }
}

type Bare = { readonly digits: string; readonly isNegative: boolean }

/** Without currency and sign. Spaces and apostrophes only group digits. */
function bareOf(text: string): Bare {
  const cleaned = text.replaceAll(/US\$|USD|\$|[\s\u00a0\u202f'’]/g, '').replaceAll('\u2212', '-')
  const [, inner] = /^\((.*)\)$/.exec(cleaned) ?? []
  const signed = inner ?? cleaned
  const digits = signed.replace(/^[-+]|-$/, '')
  return { digits, isNegative: inner !== undefined || (signed !== digits && !signed.startsWith('+')) }
}

/** A mark that groups digits has three of them after it, each time, and does not begin with a zero. */
function decimalMark(bare: readonly (Bare & Written)[], separator: string): '.' | ',' {
  const shows = (mark: '.' | ',') =>
    bare.find(({ digits }) => {
      const after = digits.lastIndexOf(mark)
      return after > digits.lastIndexOf(mark === '.' ? ',' : '.') && !isGrouped(digits, mark)
    })
  const [comma, dot] = [shows(','), shows('.')]
  if (comma !== undefined && dot !== undefined)
    throw new UnreadableBill(
      `${comma.place}: ${JSON.stringify(comma.text)} has a decimal comma, and ${dot.place} has a decimal point: it is not clear what the amounts are.`,
    )
  if (comma !== undefined) return ','
  // Where commas are decimal marks, cells are separated by semicolons.
  return dot === undefined && separator === ';' && bare.some(({ digits }) => digits.includes(',')) ? ',' : '.'
}

function isGrouped(digits: string, mark: '.' | ','): boolean {
  return (mark === '.' ? /^[1-9]\d{0,2}(\.\d{3})+$/ : /^[1-9]\d{0,2}(,\d{3})+$/).test(digits)
}

function plainOf(digits: string, mark: '.' | ','): string | undefined {
  const [, number = '', exponent = ''] = /^(.*?)(e[-+]?\d+)?$/i.exec(digits) ?? []
  const [whole = '', fraction, ...more] = number.split(mark)
  const group = mark === '.' ? ',' : '.'
  const isWhole = /^\d*$/.test(whole) || isGrouped(whole, group)
  const plain = `${whole.replaceAll(group, '')}${fraction === undefined ? '' : `.${fraction}`}`
  return more.length === 0 && isWhole && /^(\d+\.?\d*|\.\d+)$/.test(plain) ? plain + exponent : undefined
}

function notAnAmount(text: string, place: string): UnreadableBill {
  return new UnreadableBill(`${place}: ${JSON.stringify(text.slice(0, 40))} is not an amount in USD.`)
}
