import type { CallRecord } from '../../src/core/model/record/record.ts'

/** What the gateway says each attempt cost, held against what was charged for it. Money in whole nano-USD. */
export type Bills = {
  /** Of the attempts that the gateway is sure of, by its word and by the bills; the same where nothing is disputed. */
  readonly agreedNanoUsd: number
  readonly billedNanoUsd: number
  /** What the gateway itself says that it had to estimate: answers that broke off, and callers who left. */
  readonly uncertain: readonly Comparison[]
  /** Attempts of which the two sides do not say the same, though the gateway is sure. */
  readonly disputed: readonly Comparison[]
}

export type Comparison = {
  readonly attempt: string
  readonly deployment: string
  readonly outcome: string
  readonly claimedNanoUsd: number
  readonly billedNanoUsd: number
}

/** `bill` has what was charged by the attempt's id. */
export function billsCompared(records: readonly CallRecord[], bill: ReadonlyMap<string, number>): Bills {
  const agreed: Comparison[] = []
  const uncertain: Comparison[] = []
  const disputed: Comparison[] = []
  const seen = new Set<string>()
  for (const { id, attempts } of records) {
    for (const [
      at,
      { deployment, outcome, costNanoUsd = 0, isEstimated, isUncertain },
    ] of attempts.entries()) {
      const attempt = `${id}-${at}`
      seen.add(attempt)
      const compared = {
        ...{ attempt, deployment, outcome },
        ...{ claimedNanoUsd: costNanoUsd, billedNanoUsd: bill.get(attempt) ?? 0 },
      }
      if (isEstimated || isUncertain) uncertain.push(compared)
      else if (compared.claimedNanoUsd !== compared.billedNanoUsd) disputed.push(compared)
      else agreed.push(compared)
    }
  }
  for (const [attempt, billedNanoUsd] of bill) {
    if (seen.has(attempt)) continue
    disputed.push({ attempt, deployment: 'unheard of', outcome: '', claimedNanoUsd: 0, billedNanoUsd })
  }
  return {
    agreedNanoUsd: agreed.reduce((sum, { claimedNanoUsd }) => sum + claimedNanoUsd, 0),
    billedNanoUsd: agreed.reduce((sum, { billedNanoUsd }) => sum + billedNanoUsd, 0),
    uncertain,
    disputed,
  }
}
