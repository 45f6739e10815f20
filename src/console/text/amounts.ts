/** How numbers are shown: short in tables, exact for single values. */
export function usdOf(usd: number | null | undefined): string {
  if (usd === null || usd === undefined) return '–'
  if (usd === 0) return '$0'
  const size = Math.abs(usd)
  if (size >= 100_000) return `$${compact.format(usd)}`
  if (size >= 0.995) return `${usd < 0 ? '−' : ''}$${cents.format(size)}`
  return `${usd < 0 ? '−' : ''}$${small.format(size)}`
}

/** The exact amount: `$0.0000372` for `0.000037200`. */
export function exactUsdOf(usd: string): string {
  return `$${usd.includes('.') ? usd.replace(/0+$/, '').replace(/\.$/, '') : usd}`
}

/** `12,345`; from a hundred thousand on `123K`. */
export function countOf(count: number | null | undefined): string {
  if (count === null || count === undefined) return '–'
  return Math.abs(count) >= 100_000 ? compact.format(count) : whole.format(count)
}

export function wholeOf(count: number): string {
  return whole.format(count)
}

/** `0.5 %`; empty if the whole is 0. */
export function shareOf(part: number, all: number): string {
  if (all === 0) return '–'
  const share = (100 * part) / all
  return `${share > 0 && share < 0.1 ? '<0.1' : percent.format(share)} %`
}

/** `240 ms`, `1.2 s`, `3 min 20 s`. */
export function durationOf(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–'
  if (ms < 1) return `${percent.format(ms)} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${percent.format(ms / 1000)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`
}

/** The change from one number to another: `+12 %`. Undefined if there is nothing to compare. */
export function changeOf(now: number, before: number): string | undefined {
  if (before === 0 || !Number.isFinite(before)) return undefined
  const change = (100 * (now - before)) / before
  if (Math.abs(change) < 0.5) return '±0 %'
  const sign = change > 0 ? '+' : '−'
  return Math.abs(change) >= 1000
    ? `${sign}${compact.format(Math.abs(now / before))}×`
    : `${sign}${Math.round(Math.abs(change))} %`
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const cents = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const small = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const percent = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
