import type { BudgetRule } from './budgets/budget.ts'
import type { Key, RateRule, Team } from './keys/key.ts'

/** What the configuration says of tenants, as plain data. */
export type TenantSettings = {
  readonly keys: readonly Key[]
  readonly teams: readonly Team[]
  /** Of the gateway as a whole. */
  readonly budgets: readonly BudgetRule[]
  readonly rates: RateRule
  /** Of models, for all callers. */
  readonly modelRates: readonly ModelRates[]
  readonly terms: BudgetTerms
  readonly alerts: AlertSettings
}

export type ModelRates = RateRule & { readonly pattern: string }

export type BudgetTerms = {
  readonly assumedOutputTokens: number
  readonly sliceTokens: number
  readonly marginTokens: number
  readonly clamp: boolean
  /** Of an answer to a call that a budget has no room for. */
  readonly status: 429 | 402 | 403
  /** How the names of end users are kept. */
  readonly users: 'hashed' | 'plain' | 'off'
}

export type AlertSettings = {
  /** Parts of a limit, ascending. */
  readonly at: readonly number[]
  readonly webhook: string | undefined
  /** What its messages are signed with. Secret. */
  readonly secret: string | undefined
}

export const noTenants: TenantSettings = {
  keys: [],
  teams: [],
  budgets: [],
  rates: {},
  modelRates: [],
  terms: {
    assumedOutputTokens: 4096,
    sliceTokens: 1024,
    marginTokens: 128,
    clamp: false,
    status: 429,
    users: 'hashed',
  },
  alerts: { at: [0.5, 0.75, 0.9, 1], webhook: undefined, secret: undefined },
}
