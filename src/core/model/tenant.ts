import type { Failure } from './failure.ts'
import type { CallRecord } from './record/record.ts'
import type { RateHeadroom, StrategyName, TenantNote } from './terms.ts'

/** The tenant of a call: what its key allows, and its limits. */
export interface Tenant {
  readonly note: TenantNote
  allowsModel(model: string): boolean
  /** The user of a call as its record keeps it. */
  userOf(user: string | undefined): string | undefined
  /** Takes a call's share of all rate limits, or nothing. Undefined: there are none. */
  enter(ask: Entering): Promise<Entrance> | undefined
  /** Undefined: the key has no restrictions, and nothing is counted. */
  callTenant(ask: Paying): CallTenant | undefined
  /** The same for a hypothetical call: nothing is held or noted. */
  preview(ask: Paying): Preview
}

/** How a key would treat a call. */
export type Preview = {
  /** Undefined: the key has no restrictions, and nothing is counted. Its payer takes nothing. */
  readonly callTenant: CallTenant | undefined
  /** The budgets for the last amount that fits; for a refusal, for the amount refused. */
  budgets(failure?: unknown): readonly BudgetStanding[]
}

/** The state of a budget for one call. Amounts are whole nano-USD. */
export type BudgetStanding = {
  readonly id: string
  readonly title: string
  readonly window: string
  /** When its window ends; undefined: never. */
  readonly opensAtMs: number | undefined
  /** Including amounts added for this window. */
  readonly limitNanoUsd: number
  readonly spentNanoUsd: number
  readonly heldNanoUsd: number
  readonly uncertainNanoUsd: number
  /** What the call would hold on it. */
  readonly wantedNanoUsd: number
  readonly blocks: boolean
}

/** The tenant's part in routing and payment; absent for calls without restrictions or budgets. */
export type CallTenant = {
  /** For models that the caller did not name. Absent: any is allowed. */
  readonly allowsModel?: ((model: string) => boolean) | undefined
  readonly allowsProvider: (provider: string) => boolean
  /** Replaces the route's own, if the caller names none. */
  readonly strategy: StrategyName | undefined
  /** Undefined: nothing is counted, and prices may be unknown. */
  readonly payer: Payer | undefined
}

export type Entering = {
  readonly callId: string
  readonly model: string
  /** Prompt and answer, estimated. */
  readonly tokens: () => number
}

export type Paying = {
  readonly callId: string
  readonly model: string
  /** The caller's own user, in the caller's spelling. */
  readonly user: string | undefined
}

/** `refusal`: there was no room, and nothing was taken. */
export type Entrance = { readonly headroom: RateHeadroom; readonly refusal: Failure | undefined }

/** Pays for one call out of every budget that applies to it. */
export interface Payer {
  readonly terms: PayerTerms
  /** Holds what the call may cost before anything is sent, per provider. Nothing is held if there is no room. */
  reserve(bounds: readonly CostBound[], untilEpochMs: number): Promise<Shortage | undefined>
  /**
   * Updates what an attempt may have cost so far. The hold grows if all attempts together may cost more than is held;
   * undefined: it suffices.
   */
  cover(attempt: object, bound: CostBound): Promise<Shortage | undefined> | undefined
}

export type PayerTerms = {
  /** Used if neither the caller nor the model bounds an answer. */
  readonly assumedOutputTokens: number
  /** A hold grows by this much. */
  readonly sliceTokens: number
  /** A growing hold stays this far ahead of the counted tokens. */
  readonly marginTokens: number
  /** Whether an answer may be shortened to what the budget has left. */
  readonly clamp: boolean
}

/** The highest possible cost at a provider, in whole nano-USD. */
export type CostBound = { readonly provider: string; readonly nanoUsd: number }

export type Shortage = {
  readonly failure: Failure
  /** What is available now: never negative. */
  readonly roomNanoUsd: number
  /** The providers whose own budgets have no room, if no other budget blocks the call; empty: another one does. */
  readonly providers: readonly string[]
}

/** Receives the record of each call of a tenant once, when it is over, and settles its hold. */
export type Settle = (record: CallRecord) => void
