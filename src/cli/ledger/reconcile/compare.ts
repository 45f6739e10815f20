import type { BillRow } from './bill.ts'

/** What our ledger has of one model on one day. Amounts are whole nano-USD. */
export type BookedRow = {
  readonly day: string
  readonly name: string
  readonly nanoUsd: number
  /** Of it: what may have been charged for attempts that told nothing. */
  readonly uncertainNanoUsd: number
  readonly requests: number
  readonly cachedTokens: number
}

export type ComparedRow = {
  readonly day: string
  readonly name: string
  /** Undefined: the bill, or the ledger, has nothing of it. */
  readonly billedNanoUsd: number | undefined
  readonly bookedNanoUsd: number | undefined
  readonly uncertainNanoUsd: number
  /** What is billed beyond what is booked. */
  readonly differenceNanoUsd: number
  /** What explains it, as far as anything does; none where there is next to no difference. */
  readonly reasons: readonly Reason[]
}

export type Reason =
  | 'uncertain_attempts'
  | 'cached_tokens'
  | 'price_change'
  | 'not_in_ledger'
  | 'not_in_bill'
  | 'unexplained'

/** A bill against the ledger, by day and model. `changed` says whether a price of the model changed that day. */
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
  // A bill that names no models is held against all of a day.
  const isWhole = billed.every(({ name }) => name === undefined)
  for (const { day, name = whole, nanoUsd } of billed) {
    const row = rowOf(day, name)
    row.billed = (row.billed ?? 0) + nanoUsd
  }
  for (const one of booked) {
    const row = rowOf(one.day, isWhole && billed.length > 0 ? whole : one.name)
    row.booked = row.booked === undefined ? one : sumOf(row.booked, one)
  }
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
      return { ...row, reasons: reasonsFor(row, own, changed(name, day)) }
    })
}

const whole = 'all'

/** A bill is rounded to its cents, and ours is not. */
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
  // What is uncertain is booked at its worst: the bill may be less by all of it.
  if (differenceNanoUsd < 0 && own.uncertainNanoUsd > 0) reasons.push('uncertain_attempts')
  if (differenceNanoUsd < 0 && own.cachedTokens > 0) reasons.push('cached_tokens')
  if (hasChanged) reasons.push('price_change')
  const isCovered = reasons.length > 1 || reasons[0] !== 'uncertain_attempts'
  const isLess = differenceNanoUsd + own.uncertainNanoUsd >= -roundingNanoUsd
  return reasons.length === 0 || !(isCovered || isLess) ? [...reasons, 'unexplained'] : reasons
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
