import { type Consumption, costNanoUsd, type Price, type PriceNote } from '../model/price.ts'
import type { AttemptRecord, Baseline } from '../model/record/record.ts'
import type { Usage } from '../model/terms.ts'
import { usageParts } from '../model/usage-ways.ts'

/** What one attempt used, and at what price; failed ones and those that lost a race are attempts like any other. */
export type Spent = {
  readonly deployment: string
  readonly price: Price
  /** Undefined: the upstream did no work, as far as is known, and nothing is owed for it. */
  readonly used: Consumption | undefined
  /** Where the price comes from; absent: nobody keeps it. */
  readonly priceOrigin?: Pick<PriceNote, 'isFirm'> | undefined
  /** Some of what is to be paid was counted here, or taken to be nothing. */
  readonly isEstimated: boolean
  /** What it brought forth went to the caller: the work that would have been done anywhere. */
  readonly isDelivered: boolean
  /** It took up an answer where another broke off: its prompt was told before. */
  readonly isResumed?: boolean
  /** It may have been billed, though no usage was reported. */
  readonly isUncertain?: boolean
}

/** The money of one call, in whole nano-USD; what cannot be known is undefined, never 0. */
export type Spending = {
  /** Of all attempts. */
  readonly costNanoUsd: number | undefined
  /** True when some attempt that costs anything was counted here, or at a price that is not firm. */
  readonly isEstimated: boolean
  /** Of the work that reached the caller, had it been done at the baseline at the first try. */
  readonly baselineNanoUsd: number | undefined
  /** What was not spent. Negative when more was spent than at the baseline. */
  readonly savedNanoUsd: number | undefined
}

/** Adds up a call's attempts, each rounded to whole nano-USD on its own, as upstreams charge them. */
export function spendingOf(attempts: readonly Spent[], baseline: Baseline | undefined): Spending {
  let cost: number | undefined = 0
  let atBaseline: number | undefined = baseline && 0
  for (const attempt of attempts) {
    cost = sumOf(cost, attemptNanoUsd(attempt))
    if (baseline !== undefined && attempt.isDelivered) {
      atBaseline = sumOf(atBaseline, thereNanoUsd(baseline, attempt))
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

/** The cost of one attempt: 0 where nothing was used, undefined where it was and the price is not known. */
export function attemptNanoUsd({ price, used }: Pick<Spent, 'price' | 'used'>): number | undefined {
  return used === undefined ? 0 : costNanoUsd(price, used)
}

/** What an upstream may have charged for an attempt beside its cost, at worst; 0 where no money was held for it. */
export function uncertainNanoUsd({ isUncertain, heldNanoUsd = 0, costNanoUsd = 0 }: Held): number {
  return isUncertain ? Math.max(0, heldNanoUsd - costNanoUsd) : 0
}

type Held = Pick<AttemptRecord, 'isUncertain' | 'heldNanoUsd' | 'costNanoUsd'>

/** What an answer used, from its usage as the caller sees it. `workedMs` is what the upstream said of its time. */
export function consumptionOf(usage: Usage, workedMs: number | undefined): Consumption {
  const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = usage
  return {
    promptTokens,
    cachedTokens: Math.min(usageParts(usage).cachedTokens ?? 0, promptTokens),
    completionTokens,
    workedMs,
  }
}

/** What was done at the baseline has cost what it has cost; but there, nothing would have broken off. */
function thereNanoUsd({ deployment, price, workedMs }: Baseline, attempt: Spent): number | undefined {
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
