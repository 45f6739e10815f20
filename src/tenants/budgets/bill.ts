import { Failure } from '../../core/model/failure.ts'
import type { SettledPart } from '../../core/model/journal.ts'
import type { AttemptRecord, CallRecord } from '../../core/model/record/record.ts'
import type { HoldPart } from '../../core/model/shared/state.ts'
import type { CostBound, Payer, PayerTerms, Shortage } from '../../core/model/tenant.ts'
import type { Applied, Desk } from '../desk.ts'
import { usageOf } from '../usage.ts'
import { shortageOf } from './refusal.ts'

/** The money of one call: what it holds on every budget that applies, until its record settles it. */
export class Bill implements Payer {
  readonly #id: string
  readonly #applied: readonly Applied[]
  readonly #desk: Desk
  /** In the order of the budgets; includes amounts that are being requested. Undefined: not held on. */
  readonly #held: (number | undefined)[]
  /** Of each attempt; one attempt is usual. */
  #covers: readonly Cover[] = []
  #isOpen = false

  constructor(id: string, applied: readonly Applied[], desk: Desk) {
    this.#id = id
    this.#applied = applied
    this.#desk = desk
    this.#held = new Array<undefined>(applied.length).fill(undefined)
  }

  get terms(): PayerTerms {
    return this.#desk.terms()
  }

  async reserve(bounds: readonly CostBound[], untilEpochMs: number): Promise<Shortage | undefined> {
    const { state, journal, owner, clock } = this.#desk
    if (!journal.takesHolds) throw notKept()
    const parts = partsOf(this.#applied, bounds)
    const reservation = await state.reserve({ id: this.#id, owner, parts })
    if (!reservation.isTaken) return this.#short(reservation.blockers)
    this.#isOpen = true
    for (const { counter, nanoUsd } of parts) this.#held[this.#at(counter)] = nanoUsd
    journal.append({
      ...{ type: 'hold', id: this.#id, at: clock.epochMs(), owner, until: untilEpochMs },
      parts: parts.map(({ counter, nanoUsd }) => ({ counter, nanoUsd })),
    })
    return undefined
  }

  cover(attempt: object, bound: CostBound): Promise<Shortage | undefined> | undefined {
    const before = this.#covers
    this.#covers = [...before.filter((one) => one.attempt !== attempt), { attempt, bound }]
    const parts = this.#missing()
    return parts.length === 0 ? undefined : this.#grow(attempt, boundOf(attempt, before), parts)
  }

  async #grow(
    attempt: object,
    before: CostBound | undefined,
    parts: readonly HoldPart[],
  ): Promise<Shortage | undefined> {
    // Counted from now on, so that a request made at the same time does not ask for it again.
    for (const { counter, nanoUsd } of parts) this.#add(counter, nanoUsd)
    const growth = await this.#desk.state.grow(this.#id, parts)
    if (growth.isTaken) {
      this.#noteGrowth(parts)
      return undefined
    }
    for (const { counter, nanoUsd } of parts) this.#add(counter, -nanoUsd)
    const others = this.#covers.filter((one) => one.attempt !== attempt)
    this.#covers = before === undefined ? others : [...others, { attempt, bound: before }]
    return growth.blockers.length === 0 ? ended : this.#short(growth.blockers)
  }

  /** Settles the call by its record, at its end. Returns the counters on which something was spent. */
  settle(record: CallRecord): readonly Applied[] {
    if (!this.#isOpen) return []
    this.#isOpen = false
    const { state, journal, clock } = this.#desk
    const held = this.#applied.filter((_, at) => this.#held[at] !== undefined)
    const charges = held.map((applied) => chargeOf(applied, record.attempts))
    for (const { counter, spentNanoUsd, uncertainNanoUsd } of charges) {
      const beyond = spentNanoUsd + uncertainNanoUsd - this.#heldOn(counter)
      record.overrunNanoUsd = Math.max(record.overrunNanoUsd, beyond)
    }
    const all = withUncertainUsage(charges, record)
    journal.append({ type: 'settle', id: this.#id, at: clock.epochMs(), charges: all })
    void state.settle(this.#id, all)
    return held
  }

  /** On each counter: what all attempts together may cost beyond what is held. */
  #missing(): readonly HoldPart[] {
    const parts: HoldPart[] = []
    for (const applied of this.#applied) {
      let needed = 0
      for (const { bound } of this.#covers) if (isAt(applied, bound.provider)) needed += bound.nanoUsd
      const missing = needed - this.#heldOn(applied.counter)
      if (missing > 0) parts.push(partOf(applied, missing))
    }
    return parts
  }

  #add(counter: string, nanoUsd: number): void {
    this.#held[this.#at(counter)] = this.#heldOn(counter) + nanoUsd
  }

  #at(counter: string): number {
    return this.#applied.findIndex((one) => one.counter === counter)
  }

  #heldOn(counter: string): number {
    return this.#held[this.#at(counter)] ?? 0
  }

  #noteGrowth(parts: readonly HoldPart[]): void {
    const { journal, clock } = this.#desk
    journal.append({
      ...{ type: 'grow', id: this.#id, at: clock.epochMs() },
      parts: parts.map(({ counter }) => ({ counter, nanoUsd: this.#heldOn(counter) })),
    })
  }

  #short(blockers: Parameters<typeof shortageOf>[0]): Shortage {
    return shortageOf(blockers, this.#applied, this.#desk.terms(), (counter) => this.#heldOn(counter))
  }
}

/** What an attempt may have cost so far. */
type Cover = { readonly attempt: object; readonly bound: CostBound }

function boundOf(attempt: object, covers: readonly Cover[]): CostBound | undefined {
  return covers.find((one) => one.attempt === attempt)?.bound
}

/** What a call holds on each budget, if it may cost this much at one of these providers. */
export function partsOf(applied: readonly Applied[], bounds: readonly CostBound[]): readonly HoldPart[] {
  const parts: HoldPart[] = []
  for (const one of applied) {
    let most: number | undefined
    for (const { provider, nanoUsd } of bounds)
      if (isAt(one, provider)) most = Math.max(nanoUsd, most ?? nanoUsd)
    if (most !== undefined) parts.push(partOf(one, most))
  }
  return parts
}

function partOf({ counter, limitNanoUsd }: Applied, nanoUsd: number): HoldPart {
  return { counter, limitNanoUsd, nanoUsd }
}

function isAt({ budget: { rule } }: Applied, provider: string): boolean {
  return rule.providers.length === 0 || rule.providers.includes(provider)
}

function chargeOf(applied: Applied, attempts: readonly AttemptRecord[]): SettledPart {
  let spentNanoUsd = 0
  let uncertainNanoUsd = 0
  for (const attempt of attempts) {
    if (!isAt(applied, attempt.provider ?? '')) continue
    spentNanoUsd += attempt.costNanoUsd ?? 0
    uncertainNanoUsd += uncertainOf(attempt)
  }
  return { counter: applied.counter, spentNanoUsd, uncertainNanoUsd }
}

/** What is uncertain is so for the usage of the key, too, whose known part is counted with the record. */
function withUncertainUsage(
  charges: readonly SettledPart[],
  { tenant, startedEpochMs }: CallRecord,
): readonly SettledPart[] {
  const uncertainNanoUsd = Math.max(0, ...charges.map((charge) => charge.uncertainNanoUsd))
  if (uncertainNanoUsd === 0 || tenant?.key === undefined) return charges
  const usage = usageOf(tenant.key, startedEpochMs, 0)
  return [...charges, ...usage.map((one) => ({ ...one, uncertainNanoUsd }))]
}

/** What an upstream may have charged in addition to the counted cost. */
function uncertainOf({ isUncertain, heldNanoUsd = 0, costNanoUsd = 0 }: AttemptRecord): number {
  return isUncertain ? Math.max(0, heldNanoUsd - costNanoUsd) : 0
}

/** The hold was already settled: the call has ended, or its process was assumed to have ended. */
const ended: Shortage = {
  failure: new Failure('quota_exhausted', 'The hold of this call has been settled: the call is over.', {
    headers: { 'x-should-retry': 'false' },
  }),
  roomNanoUsd: 0,
  providers: [],
}

function notKept(): Failure {
  return new Failure('shed', 'The gateway cannot keep accounts at the moment.', {
    operatorNote: 'The journal cannot record holds: check the disk of DATA_DIR.',
  })
}
