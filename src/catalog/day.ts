/**
 * A day of the calendar, `2026-08-18`, as the moment in which it begins, in UTC. Throws RangeError for what is none.
 */
export function dayOf(date: string): number {
  const epochMs = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(date) : Number.NaN
  // Date.parse takes the 30th of February for March.
  const isReal = !Number.isNaN(epochMs) && dateAt(epochMs) === date
  if (!isReal) throw new RangeError(`Not a day: ${date.slice(0, 40)}`)
  return epochMs
}

/** The day of a moment, in UTC. */
export function dateAt(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10)
}
