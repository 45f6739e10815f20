import type { BillRow } from './bill.ts'

/** The ledger's sums of one model on one day, in whole nano-USD. */
export type BookedRow = {
  readonly day: string
  readonly name: string
  readonly nanoUsd: number
  /** What may have been charged in addition, or was not, because attempts reported no usage. */
  readonly uncertainNanoUsd: number
  readonly requests: number
  readonly cachedTokens: number
}

export type ComparedRow = {
  readonly day: string
  readonly name: string
  /** Undefined: the bill, or the ledger, has no such row. */
  readonly billedNanoUsd: number | undefined
  readonly bookedNanoUsd: number | undefined
  readonly uncertainNanoUsd: number
  /** The billed amount minus the booked one. */
  readonly differenceNanoUsd: number
  /** Possible reasons for the difference; empty if it is negligible. */
  readonly reasons: readonly Reason[]
}

export type Reason =
  | 'uncertain_attempts'
  | 'cached_tokens'
  | 'price_change'
  | 'not_in_ledger'
  | 'not_in_bill'
  | 'unexplained'

/**
 * Compares a bill with the ledger, by day and model. `changed` returns true if a price of the model changed on that
 * day.
 */
export function compareBills(
  billed: readonly BillRow[],
  booked: readonly BookedRow[],
  changed: (name: string, day: string) => boolean,
): readonly ComparedRow[] {
  const rows = new Map<string, { day: string; name: string; billed?: number; booked?: BookedRow }>()
  const rowOf = (day: string, name: string) => {
    const key = `${day}\n${name}`
    const known = rows.get(key) ?? { day, name }
    rows.set(key, known)
    return known
  }
  // A bill without models is compared with the sums of whole days.
  const isWhole = billed.every(({ name }) => name === undefined)
  for (const { day, name = whole, nanoUsd } of billed) {
    const row = rowOf(day, name)
    row.billed = (row.billed ?? 0) + nanoUsd
  }
  for (const one of booked) {
    const row = rowOf(one.day, isWhole && billed.length > 0 ? whole : one.name)
    row.booked = row.booked === undefined ? one : sumOf(row.booked, one)
  }
  const lostOn = new Map(
    booked.filter(({ name }) => name === lost).map((one) => [one.day, one.uncertainNanoUsd]),
  )
  return [...rows.values()]
    .toSorted((one, other) => (one.day + one.name < other.day + other.name ? -1 : 1))
    .map(({ day, name, billed: billedNanoUsd, booked: own }) => {
      const differenceNanoUsd = (billedNanoUsd ?? 0) - (own?.nanoUsd ?? 0)
      const uncertainNanoUsd = own?.uncertainNanoUsd ?? 0
      const row = {
        day,
        name,
        billedNanoUsd,
        bookedNanoUsd: own?.nanoUsd,
        uncertainNanoUsd,
        differenceNanoUsd,
      }
      // A crash left them without a model: they may be on the bill of any.
      const lostNanoUsd = name === lost || name === whole ? 0 : (lostOn.get(day) ?? 0)
      const doubted = own && { ...own, uncertainNanoUsd: uncertainNanoUsd + lostNanoUsd }
      return { ...row, reasons: reasonsFor(row, doubted, changed(name, day)) }
    })
}

/** The name of calls that a crash cut off. */
export const lost = ''

const whole = 'all'

/** Bills are rounded to cents; the ledger is not. */
const roundingNanoUsd = 10_000_000

function reasonsFor(
  { billedNanoUsd, differenceNanoUsd }: Pick<ComparedRow, 'billedNanoUsd' | 'differenceNanoUsd'>,
  own: BookedRow | undefined,
  hasChanged: boolean,
): readonly Reason[] {
  if (Math.abs(differenceNanoUsd) <= roundingNanoUsd) return []
  if (own === undefined) return ['not_in_ledger']
  if (billedNanoUsd === undefined) return ['not_in_bill']
  const reasons: Reason[] = []
  // An attempt without reported usage may have been charged up to what was held for it, or not at all.
  if (own.uncertainNanoUsd > 0) reasons.push('uncertain_attempts')
  if (differenceNanoUsd < 0 && own.cachedTokens > 0) reasons.push('cached_tokens')
  if (hasChanged) reasons.push('price_change')
  const isCovered = reasons.length > 1 || reasons[0] !== 'uncertain_attempts'
  const isWithin = Math.abs(differenceNanoUsd) <= own.uncertainNanoUsd + roundingNanoUsd
  return reasons.length === 0 || !(isCovered || isWithin) ? [...reasons, 'unexplained'] : reasons
}

function sumOf(one: BookedRow, other: BookedRow): BookedRow {
  return {
    ...{ day: one.day, name: whole },
    nanoUsd: one.nanoUsd + other.nanoUsd,
    uncertainNanoUsd: one.uncertainNanoUsd + other.uncertainNanoUsd,
    requests: one.requests + other.requests,
    cachedTokens: one.cachedTokens + other.cachedTokens,
  }
}
