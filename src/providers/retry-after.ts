/**
 * How long an upstream asks to be left alone, in milliseconds: `retry-after-ms`, or else `retry-after` in seconds
 * or as a date (RFC 9110 10.2.3). Undefined when it says nothing that can be read; 0 for a date gone by.
 */
export function retryAfterMs(
  header: (name: string) => string | undefined,
  epochMs: number,
): number | undefined {
  const exact = numberIn(header('retry-after-ms'))
  if (exact !== undefined) return exact
  const value = header('retry-after')?.trim()
  const seconds = numberIn(value)
  if (seconds !== undefined) return seconds * 1000
  // Dates are words and digits; what else the parser would take for one (`-5`, `1e3`) is garbage.
  if (value === undefined || !/^[A-Z][a-z]{2,8},? /.test(value)) return undefined
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - epochMs)
}

function numberIn(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d{1,9}(?:\.\d{1,9})?\s*$/.test(value) ? Number(value) : undefined
}
