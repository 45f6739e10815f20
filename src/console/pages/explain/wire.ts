import type { Price } from '../models/wire.ts'

/** The fields of the admin API's answer that are shown. */
export type Explanation = {
  readonly model: string
  readonly pattern: string
  readonly strategy: string
  readonly dialect: string
  readonly prompt_tokens_estimated: number
  readonly expected_completion_tokens: number
  readonly candidates: readonly CandidateRow[]
  readonly plan: readonly string[]
  /** What it would hold on budgets. Null: nothing. */
  readonly hold?: Hold | null
}

export type CandidateRow = {
  readonly deployment: string
  readonly provider: string
  readonly price: Price | null
  readonly expected_cost_usd: string | null
  readonly score: number | null
  readonly breaker: string
  readonly share: number
  readonly removed_by: { readonly filter: string; readonly reason: string } | null
}

export type Hold = {
  readonly outcome: 'whole' | 'sliced' | 'clamped' | 'refused'
  readonly amount_usd: string | null
  readonly prompt_tokens: number | null
  readonly completion_tokens: number | null
  readonly budgets: readonly HeldBudget[]
  readonly refused_with: { readonly status: number; readonly message: string } | null
}

export type HeldBudget = {
  readonly id: string
  readonly title: string
  readonly limit_nano_usd: number
  readonly spent_nano_usd: number
  readonly held_nano_usd: number
  readonly uncertain_nano_usd: number
  readonly blocks: boolean
}
