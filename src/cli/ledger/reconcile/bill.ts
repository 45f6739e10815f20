import { roundedNanoUsd } from '../../../core/model/price.ts'

/** The billed cost of one model on one day. */
export type BillRow = {
  /** `2026-11-29`, in UTC. */
  readonly day: string
  /** The provider's name of the model or endpoint; undefined: the whole day. */
  readonly name: string | undefined
  readonly nanoUsd: number
}

/** The file or answer is not a readable bill. */
export class UnreadableBill extends Error {
  override readonly name = 'UnreadableBill'
}

/** Reads the rows of an invoice as CSV (RFC 4180). Columns are recognised by their names. Throws UnreadableBill. */
export function readCsvBill(text: string): readonly BillRow[] {
  const [head = [], ...rows] = cellsOf(text).filter((cells) => cells.some((cell) => cell.trim() !== ''))
  const column = (names: readonly string[]) =>
    head.findIndex((cell) =>
      names.includes(
        cell
          .trim()
          .toLowerCase()
          .replaceAll(/[^a-z]/g, ''),
      ),
    )
  const [day, name, amount] = [column(dayNames), column(modelNames), column(amountNames)]
  if (day === -1 || amount === -1) {
    throw new UnreadableBill(
      `The file has the columns ${head.join(', ')}: it needs one for the day (date) and one for the amount in USD (cost), and may have one for the model.`,
    )
  }
  return rows.map((cells, at) => {
    const told = { day: cells[day] ?? '', amount: cells[amount] ?? '' }
    return {
      day: dayOf(told.day, `line ${at + 2}`),
      name: name === -1 || cells[name] === '' ? undefined : cells[name],
      nanoUsd: nanoOf(told.amount.replaceAll(/[$,\s]|USD/g, ''), `line ${at + 2}`),
    }
  })
}

const dayNames = ['date', 'day', 'time', 'timestamp', 'starttime', 'usagedate', 'period']
const modelNames = [
  'model',
  'modelname',
  'modelid',
  'endpoint',
  'endpointid',
  'serverlessid',
  'sku',
  'description',
]
const amountNames = ['cost', 'costusd', 'amount', 'amountusd', 'total', 'totalusd', 'usd', 'charge', 'price']

/** The UTC day of a date or time. Throws UnreadableBill with the place. */
export function dayOf(text: string, place: string): string {
  const moment = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Date.parse(`${text} UTC`)
  if (Number.isNaN(moment))
    throw new UnreadableBill(`${place}: ${JSON.stringify(text.slice(0, 40))} is not a date.`)
  return new Date(moment).toISOString().slice(0, 10)
}

/** An amount in nano-USD. Throws UnreadableBill with the place. */
export function nanoOf(text: string, place: string): number {
  const amount = Number(text)
  if (text === '' || !Number.isFinite(amount))
    throw new UnreadableBill(`${place}: ${JSON.stringify(text.slice(0, 40))} is not an amount in USD.`)
  // A credit is negative.
  return amount < 0 ? -roundedNanoUsd(-amount) : roundedNanoUsd(amount)
}

function cellsOf(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain = '', end] of text.replace(/^\uFEFF/, '').matchAll(cell)) {
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === '') break
    if (end !== ',') rows.push([])
  }
  return rows
}

/** One cell, quoted or not, and its separator. */
const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g
