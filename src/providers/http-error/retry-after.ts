/**
 * The wait that an upstream requests, in milliseconds, at most a day. Reads `retry-after-ms`, or else `retry-after` in
 * seconds or as a date (RFC 9110 10.2.3), also as seconds since 1970. Undefined if neither is readable; 0 for a past
 * date.
 */
export function retryAfterMs(
  header: (name: string) => string | undefined,
  epochMs: number,
): number | undefined {
  const exact = numberIn(header('retry-after-ms'))
  if (exact !== undefined) return Math.min(exact, longestMs)
  const value = header('retry-after')?.trim()
  const seconds = numberIn(value)
  if (seconds !== undefined) return Math.min(inMs(seconds, epochMs), longestMs)
  // `Date.parse` also accepts text that is not a date here, such as `-5` and `1e3`.
  if (value === undefined || !/^[A-Z][a-z]{2,8},? /.test(value)) return undefined
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - epochMs), longestMs)
}

/** A longer wait makes no difference to a call. */
const longestMs = 24 * 3_600_000

/** Seconds to wait, or, if the number is a time near now, seconds since 1970. */
function inMs(seconds: number, epochMs: number): number {
  const untilMs = seconds * 1000 - epochMs
  return Math.abs(untilMs) <= longestMs ? Math.max(0, untilMs) : seconds * 1000
}

/**
 * The time until a rate limit resets, in milliseconds, by `x-ratelimit-reset`, `x-ratelimit-reset-requests` and
 * `x-ratelimit-reset-tokens`. If some limits have nothing remaining, only those count. The latest reset decides.
 * Undefined if none is readable.
 */
export function resetAfterMs(
  header: (name: string) => string | undefined,
  epochMs: number,
): number | undefined {
  const resets = limits.flatMap((limit) => {
    const ms = untilMs(header(`x-ratelimit-reset${limit}`)?.trim() ?? '', epochMs)
    return ms === undefined ? [] : { ms, isUsedUp: numberIn(header(`x-ratelimit-remaining${limit}`)) === 0 }
  })
  const usedUp = resets.filter(({ isUsedUp }) => isUsedUp)
  const deciding = (usedUp.length === 0 ? resets : usedUp).map(({ ms }) => ms)
  return deciding.length === 0 ? undefined : Math.max(...deciding)
}

const limits = ['', '-requests', '-tokens'] as const

/** Larger numbers are dates: seconds or milliseconds since 1970. */
const leastEpochSeconds = 1e9
const leastEpochMs = 1e12

/** Seconds, a duration such as `6m0s` or `120ms`, or a date as a number or in ISO 8601. */
function untilMs(text: string, epochMs: number): number | undefined {
  const number = /^\d{1,13}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined
  if (number === undefined) {
    if (!/^\d{4}-\d\d-\d\dT/.test(text)) return durationMs(text)
    const date = Date.parse(text)
    return Number.isNaN(date) ? undefined : Math.max(0, date - epochMs)
  }
  if (number < leastEpochSeconds) return number * 1000
  return Math.max(0, (number < leastEpochMs ? number * 1000 : number) - epochMs)
}

function durationMs(text: string): number | undefined {
  if (!/^(?:\d{1,9}(?:\.\d{1,9})?(?:ms|d|h|m|s))+$/.test(text)) return undefined
  let ms = 0
  for (const [, amount, unit = ''] of text.matchAll(/([\d.]+)(ms|d|h|m|s)/g)) {
    ms += Number(amount) * (unitsMs.get(unit) ?? 0)
  }
  return ms
}

const unitsMs: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

function numberIn(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d{1,20}(?:\.\d{1,20})?\s*$/.test(value) ? Number(value) : undefined
}
