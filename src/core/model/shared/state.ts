/**
 * Money and limits shared by all processes of one gateway. Each method is one atomic step, also across processes. A
 * hold and a lease belong to an `owner`, the process that took it, so that a process that dies leaves none behind.
 */
export interface SharedState {
  /**
   * Takes a hold on several counters, or on none: on each, spent, uncertain and held stay within the limit. Repeating
   * an id changes nothing.
   */
  reserve(hold: NewHold): Promise<Reservation>
  /** Adds to a hold, under the same rule as `reserve`; counters may be new to it. Refused if the hold is not open. */
  grow(holdId: string, parts: readonly HoldPart[]): Promise<Reservation>
  /** Ends a hold: it is released, and the charges are booked. False, without a change, if it has ended. */
  settle(holdId: string, charges: readonly Charge[]): Promise<boolean>
  /**
   * Makes the uncertain part of a settled hold certain: the whole cost was `costNanoUsd`, including the known part.
   * Nothing known is taken back. False, without a change, if nothing of it is uncertain.
   */
  resolve(holdId: string, costNanoUsd: NanoUsd): Promise<boolean>
  /** Adds to spent, without a hold. */
  charge(spent: readonly Spent[]): Promise<void>
  /** In the order requested; an unknown counter reads as zeros. */
  read(counters: readonly string[]): Promise<readonly CounterReading[]>
  /** The open holds on a counter; with an `end`, on all counters whose names begin with the one and end with the other. */
  holdsOn(counter: string, end?: string): Promise<readonly OpenHold[]>

  /** Takes from several rates and one place in each of several slots, or nothing at all. */
  admit(request: AdmitRequest): Promise<Admittance>
  /** Returns to rates, or takes what is owed (a negative amount), down to one burst below empty. */
  refund(refunds: readonly RateAmount[]): Promise<void>
  /** Reads rates without taking anything. */
  readRates(rates: readonly Rate[]): Promise<readonly RateReading[]>
  /** Releases the places of a lease, if it has any. */
  release(leaseId: string): Promise<void>

  /**
   * Divides the places of a pool among processes. The process returns some, and keeps those in use even above the
   * limit. Free places go round-robin to processes that need more than they have; this process waits among them until
   * it has what it needs. While no process waits, it also gets what it wants beyond its need, up to half of the free
   * places. Call it again to learn what waiting gave.
   */
  allot(wanted: PlacesWanted): Promise<Allotment>

  /**
   * Ends everything of an owner: releases its places, including those of pools, and settles its holds as uncertain in
   * full. Returns those holds.
   */
  abandon(owner: string): Promise<readonly OpenHold[]>
}

/** Whole nano-USD, at least 0. */
type NanoUsd = number

/** What a hold takes from one counter: a budget in one of its windows. */
export type HoldPart = {
  readonly counter: string
  readonly nanoUsd: NanoUsd
  readonly limitNanoUsd: NanoUsd
}

export type NewHold = { readonly id: string; readonly owner: string; readonly parts: readonly HoldPart[] }

export type Reservation =
  | { readonly isTaken: true }
  /** The counters without room; empty: the hold is not open. */
  | { readonly isTaken: false; readonly blockers: readonly Blocker[] }

export type Blocker = CounterReading & { readonly counter: string; readonly wantedNanoUsd: NanoUsd }

export type CounterReading = {
  readonly spentNanoUsd: NanoUsd
  readonly heldNanoUsd: NanoUsd
  readonly uncertainNanoUsd: NanoUsd
}

export type Spent = { readonly counter: string; readonly spentNanoUsd: NanoUsd }

/** `uncertain` may have been billed by an upstream that did not report it. */
export type Charge = Spent & { readonly uncertainNanoUsd: NanoUsd }

export type OpenHold = {
  readonly id: string
  readonly owner: string
  readonly parts: readonly { readonly counter: string; readonly nanoUsd: NanoUsd }[]
}

/** A token bucket: it holds `burst`, and refills at `perMinute`. */
export type Rate = { readonly key: string; readonly perMinute: number; readonly burst: number }

export type RateAmount = Rate & { readonly amount: number }

/** At most this many leases at once. */
export type Slot = { readonly key: string; readonly limit: number }

export type AdmitRequest = {
  readonly leaseId: string
  readonly owner: string
  readonly rates: readonly RateAmount[]
  readonly slots: readonly Slot[]
}

export type Admittance = {
  readonly isAdmitted: boolean
  /** In the order requested: after the take, or unchanged if it was refused. */
  readonly rates: readonly RateReading[]
  readonly slots: readonly SlotReading[]
}

export type RateReading = {
  /** Whole and never negative. */
  readonly remaining: number
  /** Until it is full. */
  readonly resetMs: number
  /** Until the requested amount fits: 0 if it does, Infinity if it never will. */
  readonly retryAfterMs: number
}

export type SlotReading = { readonly used: number; readonly isFull: boolean }

/** One process's request for places of a pool, such as the concurrency limit of a provider. */
export type PlacesWanted = {
  readonly pool: string
  readonly owner: string
  /** Over all processes. */
  readonly limit: number
  readonly used: number
  /** How many of its places it returns. */
  readonly returned: number
  /** Used and waited for. */
  readonly needed: number
  /** Needed, plus some spare ones. */
  readonly wanted: number
}

export type Allotment = {
  /** What the process has now. */
  readonly places: number
  /** Another process waits for places of this pool. */
  readonly isAwaited: boolean
  /** Other processes that waited and have more now. */
  readonly given: readonly string[]
}
