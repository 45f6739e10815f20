/** The start of a calendar day, `2026-08-18`, in UTC. Throws RangeError for an invalid day. */
export function dayOf(date: string): number {
  const epochMs = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(date) : Number.NaN
  // Date.parse accepts the 30th of February.
  const isReal = !Number.isNaN(epochMs) && dateAt(epochMs) === date
  if (!isReal) throw new RangeError(`Not a day: ${date.slice(0, 40)}`)
  return epochMs
}

/** The UTC day of a moment. */
export function dateAt(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10)
}
