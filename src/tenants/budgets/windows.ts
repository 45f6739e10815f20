/** The calendar period that a budget counts over. */
export type WindowKind = (typeof windowKinds)[number]

export const windowKinds = ['day', 'week', 'month', 'quarter', 'year', 'total'] as const

export type WindowRule = {
  readonly window: WindowKind
  /** An IANA zone, such as `Europe/Berlin`. */
  readonly zone: string
  /** 1 for Monday to 7 for Sunday. */
  readonly weekStart: number
}

/**
 * How long the counter of a window is kept from its first use, in milliseconds: until nothing of it is settled any
 * more. 0: for ever, for years and all time.
 */
export function counterKeepMs(counter: string): number {
  const window = counter.slice(counter.lastIndexOf('|') + 1)
  if (/^(week-)?\d{4}-\d{2}(-\d{2})?$/.test(window)) return 140 * dayMs
  return /^\d{4}-Q\d$/.test(window) ? 200 * dayMs : 0
}

/** One window, from its first millisecond to the one before the next begins. `total` has no end. */
export type Window = { readonly id: string; readonly startMs: number; readonly endMs: number }

/** The window of a moment. Depends only on the rule and the moment, so nothing has to be reset. */
export function windowAt({ window, zone, weekStart }: WindowRule, epochMs: number): Window {
  if (window === 'total')
    return { id: 'total', startMs: Number.NEGATIVE_INFINITY, endMs: Number.POSITIVE_INFINITY }
  const day = dayIn(zone, epochMs)
  const [first, next] = spanOf[window](day, weekStart)
  return { id: idOf(window, first), startMs: startOf(first, zone), endMs: startOf(next, zone) }
}

/** A day of the calendar, as days since 1970-01-01. */
type Day = number

const dayMs = 86_400_000

const spanOf: Readonly<Record<Exclude<WindowKind, 'total'>, (day: Day, weekStart: number) => [Day, Day]>> = {
  day: (day) => [day, day + 1],
  week(day, weekStart) {
    // 1970-01-01 was a Thursday, the fourth day of the week.
    const first = day - modulo(day + 4 - weekStart, 7)
    return [first, first + 7]
  },
  month: (day) => monthsFrom(day, 1),
  quarter: (day) => monthsFrom(day, 3),
  year: (day) => monthsFrom(day, 12),
}

/** The window of this many months that contains the day. Its first month is a multiple of that number. */
function monthsFrom(day: Day, months: number): [Day, Day] {
  const date = new Date(day * dayMs)
  const year = date.getUTCFullYear()
  const first = date.getUTCMonth() - (date.getUTCMonth() % months)
  return [Date.UTC(year, first, 1) / dayMs, Date.UTC(year, first + months, 1) / dayMs]
}

function idOf(window: WindowKind, first: Day): string {
  const date = new Date(first * dayMs).toISOString().slice(0, 10)
  if (window === 'year') return date.slice(0, 4)
  if (window === 'month') return date.slice(0, 7)
  if (window === 'quarter') return `${date.slice(0, 4)}-Q${Math.floor((Number(date.slice(5, 7)) + 2) / 3)}`
  return window === 'week' ? `week-${date}` : date
}

/** The date of a moment in a zone. */
function dayIn(zone: string, epochMs: number): Day {
  return Math.floor((epochMs + offsetAt(zone, epochMs)) / dayMs)
}

/**
 * The first moment of a day in a zone: the earliest with its date. If the clock is put forward at midnight, that is one
 * o'clock; if it is put back, it is the first of two midnights.
 */
function startOf(day: Day, zone: string): number {
  const wallMs = day * dayMs
  // A zone is within a day of UTC, and its clock changes by less than a day.
  const guesses = [offsetAt(zone, wallMs - dayMs), offsetAt(zone, wallMs + dayMs)]
  const starts = guesses.map((offset) => wallMs - offset).filter((start) => isStart(start, day, zone))
  if (starts.length > 0) return Math.min(...starts)
  return firstAfterGap(day, zone, Math.min(...guesses.map((offset) => wallMs - offset)))
}

function isStart(start: number, day: Day, zone: string): boolean {
  return dayIn(zone, start) === day && dayIn(zone, start - 1) < day
}

/**
 * Midnight does not exist: the day begins where the clock is put forward. Found by bisection: zones change at whole
 * seconds.
 */
function firstAfterGap(day: Day, zone: string, near: number): number {
  let before = near - dayMs
  let after = near + dayMs
  while (after - before > 1000) {
    const middle = before + Math.floor((after - before) / 2000) * 1000
    if (dayIn(zone, middle) < day) before = middle
    else after = middle
  }
  return after
}

/** The offset of a zone from UTC at a moment, in milliseconds. */
function offsetAt(zone: string, epochMs: number): number {
  if (zone === 'UTC') return 0
  const parts: Record<string, number> = {}
  for (const { type, value } of formatOf(zone).formatToParts(epochMs)) parts[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  const wholeSecond = Math.floor(epochMs / 1000) * 1000
  return Date.UTC(year, month - 1, day, hour, minute, second) - wholeSecond
}

/** True for a zone that this machine's calendar knows. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone)
    return true
  } catch (thrown) {
    if (thrown instanceof RangeError) return false
    throw thrown
  }
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let known = formats.get(timeZone)
  if (known === undefined) {
    known = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'iso8601',
      hourCycle: 'h23',
      ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
      ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
    })
    formats.set(timeZone, known)
  }
  return known
}

/** Pure. Cached because creating a formatter costs more than everything that is done with it. */
const formats = new Map<string, Intl.DateTimeFormat>()

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by
}
