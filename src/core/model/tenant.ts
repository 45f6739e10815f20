import type { Failure } from './failure.ts'
import type { CallRecord } from './record/record.ts'
import type { RateHeadroom, StrategyName, TenantNote } from './terms.ts'

/** Whose call it is: what the key it bears allows, and how much. */
export interface Tenant {
  readonly note: TenantNote
  allowsModel(model: string): boolean
  /** How the user of a call is kept in its record. */
  userOf(user: string | undefined): string | undefined
  /** Takes a call's part of all rate limits, or nothing. Undefined: there are none. */
  enter(ask: Entering): Promise<Entrance> | undefined
  /** Undefined: it decides nothing, and nothing is counted. */
  callTenant(ask: Paying): CallTenant | undefined
  /** The same for a call that is only thought of: nothing is held or noted for it. */
  preview(ask: Paying): Preview
}

/** What a key would make of a call. */
export type Preview = {
  /** Undefined: it decides nothing, and nothing is counted. Its payer takes nothing. */
  readonly callTenant: CallTenant | undefined
  /** The budgets of what was last asked for and fits; of a Failure that was given: of what was asked for then. */
  budgets(failure?: unknown): readonly BudgetStanding[]
}

/** A budget as a call would meet it. Amounts are whole nano-USD. */
export type BudgetStanding = {
  readonly id: string
  readonly title: string
  readonly window: string
  /** Undefined: never. */
  readonly opensAtMs: number | undefined
  /** With what was added for this window. */
  readonly limitNanoUsd: number
  readonly spentNanoUsd: number
  readonly heldNanoUsd: number
  readonly uncertainNanoUsd: number
  /** What the call would hold on it. */
  readonly wantedNanoUsd: number
  readonly blocks: boolean
}

/** What of a tenant decides where a call goes, and who pays; a call of one that decides nothing of it has none. */
export type CallTenant = {
  /** Of a model that the caller did not name. Absent: any. */
  readonly allowsModel?: ((model: string) => boolean) | undefined
  readonly allowsProvider: (provider: string) => boolean
  /** In place of the route's own, where the caller names none. */
  readonly strategy: StrategyName | undefined
  /** Undefined: nothing is counted, and prices need not be known. */
  readonly payer: Payer | undefined
}

export type Entering = {
  readonly callId: string
  readonly model: string
  /** Of prompt and answer, by estimate. */
  readonly tokens: () => number
}

export type Paying = {
  readonly callId: string
  readonly model: string
  /** The caller's own user, as they name them. */
  readonly user: string | undefined
}

/** `refusal`: there was no room, and nothing was taken. */
export type Entrance = { readonly headroom: RateHeadroom; readonly refusal: Failure | undefined }

/** Pays for one call, out of every budget that applies to it. */
export interface Payer {
  readonly terms: PayerTerms
  /**
   * Holds what the call may cost before anything of it is sent: at each provider, what it may cost there. Nothing is
   * held where there is no room.
   */
  reserve(bounds: readonly CostBound[], untilEpochMs: number): Promise<Shortage | undefined>
  /**
   * What an attempt may have cost so far, in place of what was said of it before: the hold grows where all attempts
   * together may cost more than is held.
   */
  cover(attempt: object, bound: CostBound): Promise<Shortage | undefined>
}

export type PayerTerms = {
  /** Where neither the caller nor the model bounds an answer. */
  readonly assumedOutputTokens: number
  /** A hold that grows with the answer grows by so much. */
  readonly sliceTokens: number
  /** And is so far ahead of what was counted. */
  readonly marginTokens: number
  /** An answer may be bounded by what is left. */
  readonly clamp: boolean
}

/** The most that is to be paid at a provider, in whole nano-USD. */
export type CostBound = { readonly provider: string; readonly nanoUsd: number }

export type Shortage = {
  readonly failure: Failure
  /** What could be had at once: never negative. */
  readonly roomNanoUsd: number
  /** The providers whose own budgets have no room, where those are all that stand in the way; empty: others do. */
  readonly providers: readonly string[]
}

/** Takes the record of each call of a tenant, once, when it is over: what it held is settled by it. */
export type Settle = (record: CallRecord) => void
