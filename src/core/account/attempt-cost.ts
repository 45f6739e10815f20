import { type Consumption, costNanoUsd, type Price, type PriceNote } from '../model/price.ts'
import type { AttemptRecord, Baseline } from '../model/record/record.ts'
import type { Usage } from '../model/terms.ts'
import { usageParts } from '../model/usage/usage-formats.ts'

/** The usage and price of one attempt. Failed attempts and losers of a hedge count like any other. */
export type Spent = {
  readonly deployment: string
  readonly price: Price
  /** Undefined: as far as is known, the upstream did no work and nothing is owed. */
  readonly used: Consumption | undefined
  /** The source of the price; absent: unknown. */
  readonly priceOrigin?: Pick<PriceNote, 'isFirm'> | undefined
  /** Some of the usage was counted here, or assumed to be zero. */
  readonly isEstimated: boolean
  /** Its answer went to the caller: any deployment would have had to do this work. */
  readonly isDelivered: boolean
  /** It continued an answer that another attempt broke off: its prompt had been paid for before. */
  readonly isResumed?: boolean
  /** It may have been billed, though no usage was reported. */
  readonly isUncertain?: boolean
}

/** The money of one call in whole nano-USD; unknown amounts are undefined, never 0. */
export type Spending = {
  /** Over all attempts. */
  readonly costNanoUsd: number | undefined
  /** True if the usage of an attempt with a cost was counted here, or its price is not firm. */
  readonly isEstimated: boolean
  /** The cost of the delivered work at the baseline's price, in a single attempt. */
  readonly baselineNanoUsd: number | undefined
  /** The baseline cost minus the cost. Negative when more was spent. */
  readonly savedNanoUsd: number | undefined
}

/** Sums a call's attempts, each rounded to whole nano-USD on its own, as upstreams bill them. */
export function spendingOf(attempts: readonly Spent[], baseline: Baseline | undefined): Spending {
  let cost: number | undefined = 0
  let atBaseline: number | undefined = baseline && 0
  for (const attempt of attempts) {
    cost = sumOf(cost, attemptNanoUsd(attempt))
    if (baseline !== undefined && attempt.isDelivered) {
      atBaseline = sumOf(atBaseline, baselineCostOf(baseline, attempt))
    }
  }
  return {
    costNanoUsd: cost,
    isEstimated: attempts.some(isInDoubt),
    baselineNanoUsd: atBaseline,
    savedNanoUsd: cost === undefined || atBaseline === undefined ? undefined : atBaseline - cost,
  }
}

function isInDoubt(attempt: Spent): boolean {
  const isGuessed = attempt.isEstimated || attempt.priceOrigin?.isFirm === false
  return attempt.isUncertain === true || (isGuessed && attemptNanoUsd(attempt) !== 0)
}

/** The cost of one attempt: 0 if nothing was used, undefined if something was and the price is unknown. */
export function attemptNanoUsd({ price, used }: Pick<Spent, 'price' | 'used'>): number | undefined {
  return used === undefined ? 0 : costNanoUsd(price, used)
}

/** The most that an upstream may have billed for an attempt beyond its cost; 0 if no money was held for it. */
export function uncertainNanoUsd({ isUncertain, heldNanoUsd = 0, costNanoUsd = 0 }: Held): number {
  return isUncertain ? Math.max(0, heldNanoUsd - costNanoUsd) : 0
}

type Held = Pick<AttemptRecord, 'isUncertain' | 'heldNanoUsd' | 'costNanoUsd'>

/** What an answer used, from its usage as the caller sees it. `workedMs` is the time that the upstream reported. */
export function consumptionOf(usage: Usage, workedMs: number | undefined): Consumption {
  const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = usage
  return {
    promptTokens,
    cachedTokens: Math.min(usageParts(usage).cachedTokens ?? 0, promptTokens),
    completionTokens,
    workedMs,
  }
}

/**
 * The cost of an attempt's work at the baseline: its own cost if it ran there. A continuation's prompt is not counted:
 * the baseline would have paid it once.
 */
function baselineCostOf({ deployment, price, workedMs }: Baseline, attempt: Spent): number | undefined {
  const { used, isResumed } = attempt
  if (used === undefined || (attempt.deployment === deployment && isResumed !== true)) {
    return attemptNanoUsd(attempt)
  }
  const needed = isResumed === true ? { ...used, promptTokens: 0, cachedTokens: 0 } : used
  return costNanoUsd(price, { ...needed, workedMs })
}

function sumOf(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one + other
}
