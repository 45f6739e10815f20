import type { Row } from './served.ts'
import type { Bill } from './upstream/fault-upstream.ts'

/** What the upstream's own bill and the gateway's records come to, attempt by attempt. */
export type Reconciled = {
  /** Attempts whose cost both sides know: equal, to the nano-USD. */
  readonly exact: number
  readonly exactNanoUsd: number
  /** Attempts of which the upstream did not get to say what they cost, or the caller to hear it. */
  readonly uncertain: readonly Uncertain[]
  /** What does not add up, in words. */
  readonly wrong: readonly string[]
}

export type Uncertain = {
  readonly attempt: string
  readonly outcome: string
  readonly billedNanoUsd: number
  readonly bookedNanoUsd: number
}

/**
 * Compares. Every attempt of either side is looked for at the other, and one whose cost is not known for sure must say
 * so of itself: that it was estimated, may have been billed, or was claimed in numbers that cannot be.
 */
export function reconcile(rows: Iterable<Row>, bill: Bill): Reconciled {
  const booked = new Map([...rows].flatMap(bookingsOf))
  const billed = chargesOf(bill)
  const uncertain: Uncertain[] = []
  const wrong: string[] = []
  let exact = 0
  let exactNanoUsd = 0
  for (const [attempt, { entry, isDeclared }] of booked) {
    const billedNanoUsd = billed.get(attempt) ?? 0
    const bookedNanoUsd = entry.costNanoUsd ?? 0
    const { outcome } = entry
    const isSure = outcome === 'ok' && !bill.untold.has(attempt)
    if (isSure && !entry.isEstimated) {
      exact++
      exactNanoUsd += bookedNanoUsd
    }
    if (isSure && entry.isEstimated) wrong.push(`${attempt} was told, yet estimated`)
    else if (billedNanoUsd === bookedNanoUsd) continue
    else if (!isSure && isDeclared) uncertain.push({ attempt, outcome, billedNanoUsd, bookedNanoUsd })
    else wrong.push(`${attempt} (${outcome}): billed ${billedNanoUsd}, booked ${bookedNanoUsd}`)
  }
  for (const attempt of billed.keys()) if (!booked.has(attempt)) wrong.push(`${attempt} is in no record`)
  return { exact, exactNanoUsd, uncertain, wrong }
}

type Booking = { readonly entry: Row['attempts'][number]; readonly isDeclared: boolean }

function bookingsOf({ id, attempts, flags }: Row): readonly (readonly [string, Booking])[] {
  const isClamped = flags.includes('usage_clamped')
  return attempts.map((entry, at) => {
    const isDeclared = entry.isEstimated || entry.isUncertain || isClamped
    return [`${id}-${at}`, { entry, isDeclared }]
  })
}

/** By attempt: one that was charged for twice is two requests under one name. */
function chargesOf({ lines }: Bill): ReadonlyMap<string, number> {
  const charges = new Map<string, number>()
  for (const { attempt = '', nanoUsd = 0 } of lines) {
    charges.set(attempt, (charges.get(attempt) ?? 0) + nanoUsd)
  }
  return charges
}
