/**
 * What all processes of one gateway share of money and limits. Each method is one atomic step, also across processes.
 * A hold and a lease belong to the process that took it, its `owner`, so that a process that dies leaves none behind.
 */
export interface SharedState {
  /**
   * Takes a hold over several counters, or over none of them: on each, what is spent, uncertain and held stays within
   * the limit. The same id again changes nothing.
   */
  reserve(hold: NewHold): Promise<Reservation>
  /** Adds to a hold, as `reserve` takes one; a counter may be new to it. Refused where the hold is not open. */
  grow(holdId: string, parts: readonly HoldPart[]): Promise<Reservation>
  /** Ends a hold: what it held is free, and what it came to is charged. False, and no change, where it has ended. */
  settle(holdId: string, charges: readonly Charge[]): Promise<boolean>
  /**
   * What a settled hold left uncertain is certain now: the whole of it came to `costNanoUsd`, what was known included.
   * Nothing known is taken back. False, and no change, where nothing of it is uncertain.
   */
  resolve(holdId: string, costNanoUsd: NanoUsd): Promise<boolean>
  /** Adds to what is spent, without a hold. */
  charge(spent: readonly Spent[]): Promise<void>
  /** In the order asked for; one that was never touched is all zeros. */
  read(counters: readonly string[]): Promise<readonly CounterReading[]>
  /** Who holds on a counter now. */
  holdsOn(counter: string): Promise<readonly OpenHold[]>

  /** Takes from several rates and one place in each of several slots, or nothing at all. */
  admit(request: AdmitRequest): Promise<Admittance>
  /** Gives back to rates, or takes what is owed (a negative amount), to one burst below empty at most. */
  refund(refunds: readonly RateAmount[]): Promise<void>
  /** Where rates stand, nothing taken. */
  readRates(rates: readonly Rate[]): Promise<readonly RateReading[]>
  /** Gives back the places of a lease, if it has any. */
  release(leaseId: string): Promise<void>

  /** Ends all that an owner has: its places are free, its holds settled as uncertain in full. Gives those holds. */
  abandon(owner: string): Promise<readonly OpenHold[]>
}

/** Whole nano-USD, from 0 on. */
type NanoUsd = number

/** What a hold takes of one counter: a budget in one of its windows. */
export type HoldPart = {
  readonly counter: string
  readonly nanoUsd: NanoUsd
  readonly limitNanoUsd: NanoUsd
}

export type NewHold = { readonly id: string; readonly owner: string; readonly parts: readonly HoldPart[] }

export type Reservation =
  | { readonly isTaken: true }
  /** The counters that had no room; none: the hold is not open. */
  | { readonly isTaken: false; readonly blockers: readonly Blocker[] }

export type Blocker = CounterReading & { readonly counter: string; readonly wantedNanoUsd: NanoUsd }

export type CounterReading = {
  readonly spentNanoUsd: NanoUsd
  readonly heldNanoUsd: NanoUsd
  readonly uncertainNanoUsd: NanoUsd
}

export type Spent = { readonly counter: string; readonly spentNanoUsd: NanoUsd }

/** `uncertain` may have been charged by an upstream that did not say. */
export type Charge = Spent & { readonly uncertainNanoUsd: NanoUsd }

export type OpenHold = {
  readonly id: string
  readonly owner: string
  readonly parts: readonly { readonly counter: string; readonly nanoUsd: NanoUsd }[]
}

/** A token bucket: it holds `burst`, and fills by `perMinute`. */
export type Rate = { readonly key: string; readonly perMinute: number; readonly burst: number }

export type RateAmount = Rate & { readonly amount: number }

/** At most so many leases at once. */
export type Slot = { readonly key: string; readonly limit: number }

export type AdmitRequest = {
  readonly leaseId: string
  readonly owner: string
  readonly rates: readonly RateAmount[]
  readonly slots: readonly Slot[]
}

export type Admittance = {
  readonly isAdmitted: boolean
  /** In the order asked for: after the take, or as they stand where it was refused. */
  readonly rates: readonly RateReading[]
  readonly slots: readonly SlotReading[]
}

export type RateReading = {
  /** Whole and never negative. */
  readonly remaining: number
  /** Until it is full. */
  readonly resetMs: number
  /** Until the amount asked for would fit: 0 where it does, Infinity where it never will. */
  readonly retryAfterMs: number
}

export type SlotReading = { readonly used: number; readonly isFull: boolean }
