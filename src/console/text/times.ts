/** Times, in the reader's time zone. */
export function timeOf(epochMs: number): string {
  return time.format(epochMs)
}

/** `29 Nov, 16:45:12` */
export function momentOf(epochMs: number): string {
  return moment.format(epochMs)
}

/** `29 Nov, 16:45` */
export function minuteOf(epochMs: number): string {
  return minute.format(epochMs)
}

export function dayOf(epochMs: number): string {
  return day.format(epochMs)
}

/** `3 min ago` */
export function agoOf(epochMs: number, now = Date.now()): string {
  const seconds = Math.round((now - epochMs) / 1000)
  if (Math.abs(seconds) < 2) return 'now'
  const [count, unit] = unitOf(Math.abs(seconds))
  return ago.format(seconds < 0 ? count : -count, unit)
}

function unitOf(seconds: number): readonly [number, Intl.RelativeTimeFormatUnit] {
  if (seconds < 60) return [seconds, 'second']
  if (seconds < 3600) return [Math.round(seconds / 60), 'minute']
  return seconds < 86_400 ? [Math.round(seconds / 3600), 'hour'] : [Math.round(seconds / 86_400), 'day']
}

const clock = { hour: '2-digit', minute: '2-digit', hour12: false } as const
const date = { day: 'numeric', month: 'short' } as const
const time = new Intl.DateTimeFormat('en-GB', { ...clock, second: '2-digit' })
const moment = new Intl.DateTimeFormat('en-GB', { ...date, ...clock, second: '2-digit' })
const minute = new Intl.DateTimeFormat('en-GB', { ...date, ...clock })
const day = new Intl.DateTimeFormat('en-GB', date)
const ago = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'short' })
