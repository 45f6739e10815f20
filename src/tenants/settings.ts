import type { BudgetRule } from './budgets/budget.ts'
import type { Key, RateRule, Team } from './keys/key.ts'

/** The tenants' settings of the configuration, as plain data. */
export type TenantSettings = {
  readonly keys: readonly Key[]
  readonly teams: readonly Team[]
  /** For the gateway as a whole. */
  readonly budgets: readonly BudgetRule[]
  readonly rates: RateRule
  /** For models, for all callers. */
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
  /** The status of a call that a budget refuses. */
  readonly status: 429 | 402 | 403
  /** How names of end users are stored. */
  readonly users: 'hashed' | 'plain' | 'off'
}

export type AlertSettings = {
  /** Parts of a limit, ascending. */
  readonly at: readonly number[]
  readonly webhook: string | undefined
  /** Signs its messages. Secret. */
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
