import type {
  AdmitRequest,
  Admittance,
  Allotment,
  Charge,
  CounterReading,
  HoldPart,
  NewHold,
  OpenHold,
  PlacesWanted,
  Rate,
  RateAmount,
  RateReading,
  Reservation,
  SharedState,
  Spent,
} from '../../core/model/shared/state.ts'
import { RedisUnavailable, type Reply, type Script } from './connection.ts'
import { abandonScript, holdsScript, readScript, resolveScript } from './money-scripts.ts'
import type { NodeView } from './node-view.ts'
import { chargesStep, type Outbox } from './outbox.ts'
import { allotScript } from './pool-scripts.ts'
import { readRatesScript } from './rate-scripts.ts'
import { admittanceOf, allotmentOf, holdsOf, rateReadingsOf, readingsOf, reservedOf } from './replies.ts'
import type { Slices } from './slices.ts'
import type { Solo } from './solo.ts'
import { createSteps, type Steps } from './steps.ts'

export type RedisStateParts = {
  /** Runs a step as this process. */
  readonly act: (script: Script, args: readonly (string | number)[]) => Promise<Reply>
  readonly outbox: Outbox
  readonly slices: Slices
  readonly view: NodeView
  /** Handles steps without Redis; undefined while Redis is up. */
  readonly solo: () => Solo | undefined
  readonly keepMs: (counter: string) => number
  /** Asks all nodes to return their leases of these counters; false if that failed a moment ago. */
  readonly recallLeases: (counters: readonly string[]) => boolean
  readonly pause: (ms: number) => Promise<void>
}

/**
 * The shared state in Redis. Steps that need an answer are requests; the others are reports, in order and exactly once.
 * While Redis is unavailable, the node continues alone, and reports afterwards.
 */
export function createRedisState(parts: RedisStateParts): SharedState {
  return new RedisState(parts)
}

class RedisState implements SharedState {
  readonly #parts: RedisStateParts
  readonly #steps: Steps
  #isFlushing = false

  constructor(parts: RedisStateParts) {
    this.#parts = parts
    this.#steps = createSteps(parts.act)
  }

  async reserve(hold: NewHold): Promise<Reservation> {
    const { id, owner, parts } = hold
    return await this.#either(
      (solo) => solo.reserve(hold),
      async () => {
        this.#parts.slices.note(parts)
        const reservation = await this.#take(id, owner, 'new', parts)
        if (reservation.isTaken) this.#parts.view.noteHold(id, owner, parts)
        return reservation
      },
    )
  }

  async grow(holdId: string, parts: readonly HoldPart[]): Promise<Reservation> {
    return await this.#either(
      (solo) => solo.grow(holdId, parts),
      async () => {
        const { outbox, view } = this.#parts
        // The hold may have been taken while Redis was unavailable, and not be reported yet.
        if (outbox.hasBacklog && !(await outbox.delivered())) throw new RedisUnavailable('lost again')
        const reservation = await this.#take(holdId, '', 'grow', parts)
        if (reservation.isTaken) view.noteHold(holdId, '', parts)
        return reservation
      },
    )
  }

  async settle(holdId: string, charges: readonly Charge[]): Promise<boolean> {
    const { outbox, view } = this.#parts
    const solo = this.#parts.solo()
    if (solo !== undefined) return solo.settle(holdId, charges)
    const delivered = outbox.push(chargesStep(view.holds.has(holdId) ? 'T' : 'S', holdId, charges))
    view.forgetHold(holdId)
    this.#flushSoon()
    const [isSettled] = await delivered
    return isSettled === 1
  }

  async resolve(holdId: string, costNanoUsd: number): Promise<boolean> {
    return (await this.#parts.act(resolveScript, [holdId, costNanoUsd])) === 1
  }

  async charge(spent: readonly Spent[]): Promise<void> {
    const { outbox } = this.#parts
    const delivered = spent.map(({ counter, spentNanoUsd }) => outbox.charge(counter, spentNanoUsd))
    if (this.#parts.solo() !== undefined) return
    this.#flushSoon()
    await Promise.all(delivered)
  }

  async read(counters: readonly string[]): Promise<readonly CounterReading[]> {
    return await this.#either(
      (solo) => counters.map((counter) => solo.read(counter)),
      async () => readingsOf(await this.#parts.act(readScript, counters)),
    )
  }

  async holdsOn(counter: string, end?: string): Promise<readonly OpenHold[]> {
    const asked = end === undefined ? [counter] : [counter, end]
    return await this.#either(
      (solo) => solo.holdsOn(counter, end),
      async () => holdsOf(await this.#parts.act(holdsScript, asked)),
    )
  }

  async admit(request: AdmitRequest): Promise<Admittance> {
    const { leaseId, owner, rates, slots } = request
    return await this.#either(
      (solo) => solo.admit(request),
      async () => {
        const args = [
          ...[leaseId, owner, rates.length],
          ...rates.flatMap(({ key, perMinute, burst, amount }) => [key, perMinute, burst, amount]),
          ...slots.flatMap(({ key, limit }) => [key, limit]),
        ]
        const admittance = admittanceOf(await this.#steps.run('admit', args), request)
        this.#parts.view.noteAdmittance(request, admittance)
        return admittance
      },
    )
  }

  async refund(refunds: readonly RateAmount[]): Promise<void> {
    const solo = this.#parts.solo()
    if (solo !== undefined) return solo.refund(refunds)
    const delivered = refunds.map((refund) => this.#parts.outbox.refund(refund))
    this.#flushSoon()
    await Promise.all(delivered)
  }

  async readRates(rates: readonly Rate[]): Promise<readonly RateReading[]> {
    return await this.#either(
      (solo) => rates.map((rate) => solo.readRate(rate)),
      async () => {
        const args = rates.flatMap(({ key, perMinute, burst }) => [key, perMinute, burst])
        return rateReadingsOf(await this.#parts.act(readRatesScript, args))
      },
    )
  }

  async release(leaseId: string): Promise<void> {
    const { outbox, view } = this.#parts
    const solo = this.#parts.solo()
    if (solo !== undefined) return solo.release(leaseId)
    view.forgetLease(leaseId)
    const delivered = outbox.push(['L', leaseId])
    this.#flushSoon()
    await delivered
  }

  async allot(wanted: PlacesWanted): Promise<Allotment> {
    const { act, view } = this.#parts
    return await this.#either(
      (solo) => solo.allot(wanted),
      async () => {
        const { pool, owner, limit, used, returned, needed } = wanted
        const reply = await act(allotScript, [pool, owner, limit, used, returned, needed, wanted.wanted])
        const { allotment, free } = allotmentOf(reply)
        view.noteAllotment(wanted, allotment.places, free)
        return allotment
      },
    )
  }

  async abandon(owner: string): Promise<readonly OpenHold[]> {
    const { act, view } = this.#parts
    return await this.#either(
      (solo) => solo.abandon(owner),
      async () => {
        const left = holdsOf(await act(abandonScript, [owner, 'any']))
        for (const { id } of left) view.forgetHold(id)
        for (const { id, owner: whose } of [...view.leases.values()]) {
          if (whose === owner) view.forgetLease(id)
        }
        view.forgetPools(owner)
        return left
      },
    )
  }

  /** Runs a step with Redis, or alone if Redis is unavailable or is lost during the request. */
  async #either<T>(alone: (solo: Solo) => T, shared: () => Promise<T>): Promise<T> {
    const before = this.#parts.solo()
    if (before !== undefined) return alone(before)
    try {
      return await shared()
    } catch (thrown) {
      const solo = this.#parts.solo()
      if (!(thrown instanceof RedisUnavailable) || solo === undefined) throw thrown
      return alone(solo)
    }
  }

  /** If only leases of other nodes prevent the hold, they are asked to return them. */
  async #take(
    id: string,
    owner: string,
    how: 'new' | 'grow',
    parts: readonly HoldPart[],
  ): Promise<Reservation> {
    const { keepMs, recallLeases, pause } = this.#parts
    const args = [
      ...[id, owner, how],
      ...parts.flatMap(({ counter, nanoUsd, limitNanoUsd }) => [
        ...[counter, nanoUsd, limitNanoUsd, keepMs(counter)],
      ]),
    ]
    let reserved = reservedOf(await this.#steps.run('reserve', args), parts)
    for (let waitMs = 5; reserved.leased.length > 0 && recallLeases(reserved.leased); waitMs = 2 * waitMs) {
      await pause(Math.min(waitMs, longestWaitMs))
      reserved = reservedOf(await this.#steps.run('reserve', args), parts)
    }
    return reserved.reservation
  }

  /** Batches the reports of one turn of the event loop. */
  #flushSoon(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    setImmediate(() => {
      this.#isFlushing = false
      if (this.#parts.solo() === undefined) this.#parts.outbox.flush()
    })
  }
}

const longestWaitMs = 40
