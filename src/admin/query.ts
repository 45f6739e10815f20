import { Failure } from '../core/model/failure.ts'

/** The query parameters of an admin request. Each reader throws a Failure that names the problem. */
export interface Query {
  /** Undefined if it is missing or empty. */
  text(name: string): string | undefined
  /** A comma-separated list of these words. */
  words<Word extends string>(name: string, known: readonly Word[]): readonly Word[]
  oneOf<Word extends string>(name: string, known: readonly Word[]): Word | undefined
  count(name: string, otherwise: number, most: number): number
  /** A moment in epoch milliseconds: ISO 8601, a number, or an age such as `7d`. */
  moment(name: string, now: number): number | undefined
}

/** Throws for an unknown name, so that a misspelled filter does not show everything. */
export function readQuery(query: Readonly<Record<string, unknown>>, known: readonly string[]): Query {
  for (const [name, value] of Object.entries(query)) {
    if (!known.includes(name)) throw refused(name, `Unknown parameter. Known: ${known.join(', ')}.`)
    if (typeof value !== 'string') throw refused(name, 'Give it once.')
  }
  const text = (name: string) => (query[name] as string | undefined) || undefined
  const word = <Word extends string>(name: string, value: string, words: readonly Word[]): Word => {
    const found = words.find((each) => each === value)
    if (found === undefined) throw refused(name, `Found ${shown(value)}, expected ${words.join(', ')}.`)
    return found
  }
  return {
    text,
    words(name, words) {
      const all = (text(name) ?? '').split(',').filter((part) => part !== '')
      return [...new Set(all.map((part) => word(name, part.trim(), words)))]
    },
    oneOf(name, words) {
      const value = text(name)
      return value === undefined ? undefined : word(name, value, words)
    },
    count(name, otherwise, most) {
      const value = text(name)
      if (value === undefined) return otherwise
      const count = Number(value)
      if (/^\d{1,9}$/.test(value) && count >= 1 && count <= most) return count
      throw refused(name, `Found ${shown(value)}, expected a whole number from 1 to ${most}.`)
    },
    moment(name, now) {
      const value = text(name)
      if (value === undefined) return undefined
      const moment = momentOf(value, now)
      if (Number.isSafeInteger(moment) && moment >= 0) return moment
      throw refused(name, `Found ${shown(value)}, expected a date such as 2026-11-29T12:00:00Z, or 7d.`)
    },
  }
}

/** Throws for a span that ends before it begins. */
export function requireSpan(from: number | undefined, to: number | undefined): void {
  if (from !== undefined && to !== undefined && from > to) {
    throw refused('from', 'Expected a time that is not after `to`.')
  }
}

function momentOf(text: string, now: number): number {
  const [, amount, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? []
  if (amount !== undefined) return Math.max(0, now - Number(amount) * (unitsMs[unit ?? ''] ?? Number.NaN))
  return /^\d{9,16}$/.test(text) ? Number(text) : Date.parse(text)
}

const minuteMs = 60_000
const unitsMs: Readonly<Record<string, number>> = {
  m: minuteMs,
  h: 60 * minuteMs,
  d: 1440 * minuteMs,
  w: 7 * 1440 * minuteMs,
}

function shown(value: string): string {
  return JSON.stringify(value.slice(0, 60))
}

function refused(param: string, message: string): Failure {
  return new Failure('invalid_request', message, { param })
}
