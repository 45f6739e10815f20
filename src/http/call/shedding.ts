import type { Context } from 'koa'
import { Failure } from '../../core/model/failure.ts'
import type { Random } from '../../core/model/ports.ts'
import { createFairCapacity, type FairCapacity } from '../../core/model/shared/fair-capacity.ts'
import type { Body, BodyReader } from './body.ts'
import type { Pressure } from './pressure.ts'

/** Refuses calls when the process is overloaded. Admitted calls are not affected. */
export interface Shedding {
  /** Admits a call of this principal until the result is disposed. Throws `shed`. */
  admit(who?: string): Admission
  /** The reason for which a call would be refused now; undefined if it would be admitted. */
  reason(): ShedReason | undefined
  read(): SheddingReading
}

/** An admitted call. */
export interface Admission extends Disposable {
  /** Sets the number of bytes of the call's body that have arrived. Throws `shed` if they exceed a limit. */
  hold(bytes: number): void
}

export type ShedReason = 'in_flight' | 'in_flight_bytes' | 'event_loop' | 'heap'

export type SheddingReading = {
  readonly inFlight: number
  readonly inFlightBytes: number
  /** The number of refused calls since the start. */
  readonly shed: Readonly<Record<ShedReason, number>>
}

export type SheddingLimits = {
  /** The maximum number of calls in flight. One principal cannot use all of it. */
  readonly inFlight: number
  /** The maximum total length of all bodies in flight. A single body may exceed it. */
  readonly inFlightBytes: number
  readonly loopDelayMs: number
  /** The maximum share of the heap limit in use. */
  readonly heapShare: number
}

export type SheddingParts = {
  /** The current limits. */
  readonly limits: () => SheddingLimits
  readonly pressure: Pick<Pressure, 'loopDelayMs' | 'heapShare'>
  /** Spreads the Retry-After of refused calls. */
  readonly random: Random
}

export function createShedding({ limits, pressure, random }: SheddingParts): Shedding {
  const room: Room = {
    calls: createFairCapacity(() => limits().inFlight),
    bytes: createFairCapacity(() => limits().inFlightBytes),
  }
  const shed: Record<ShedReason, number> = { in_flight: 0, in_flight_bytes: 0, event_loop: 0, heap: 0 }
  const turnAway = (reason: ShedReason) => {
    shed[reason]++
    return new Failure('shed', 'The gateway has more calls than it can handle.', {
      retryAfterMs: 1000 + random() * 2000,
      operatorNote: `shed: ${reason}`,
    })
  }
  const pressed = (): ShedReason | undefined => {
    const { loopDelayMs, heapShare } = limits()
    // A single call is never refused, because it cannot have caused the load.
    if (pressure.heapShare > heapShare && room.calls.used > 0) return 'heap'
    return pressure.loopDelayMs > loopDelayMs && room.calls.used >= leastBusy ? 'event_loop' : undefined
  }
  const refuseBytes = () => {
    throw turnAway('in_flight_bytes')
  }
  return {
    admit(who = '') {
      if (!room.calls.hasRoomFor(who, 1)) throw turnAway('in_flight')
      const reason = pressed()
      // A principal without calls in flight has not caused the load.
      if (reason === 'heap' || (reason !== undefined && room.calls.usedBy(who) > 0)) throw turnAway(reason)
      room.calls.take(who, 1)
      return new CallAdmission(who, room, refuseBytes)
    },
    reason: () => (room.calls.used >= limits().inFlight ? 'in_flight' : pressed()),
    read: () => ({ inFlight: room.calls.used, inFlightBytes: room.bytes.used, shed: { ...shed } }),
  }
}

/** With fewer calls in flight, a delayed event loop is not a reason to refuse calls. */
const leastBusy = 32

/** The state that all admitted calls share. */
type Room = { readonly calls: FairCapacity; readonly bytes: FairCapacity }

/** A class rather than a closure: there is one per call, and methods on the prototype save memory. */
class CallAdmission implements Admission {
  readonly #who: string
  readonly #room: Room
  /** Throws. */
  readonly #refuse: () => never
  #bytes = 0

  constructor(who: string, room: Room, refuse: () => never) {
    this.#who = who
    this.#room = room
    this.#refuse = refuse
  }

  hold(bytes: number): void {
    const { bytes: room } = this.#room
    const more = bytes - this.#bytes
    if (more > 0 && room.used > this.#bytes && !room.hasRoomFor(this.#who, more)) this.#refuse()
    if (more > 0) room.take(this.#who, more)
    else if (more < 0) room.give(this.#who, -more)
    this.#bytes = bytes
  }

  [Symbol.dispose](): void {
    this.#room.calls.give(this.#who, 1)
    if (this.#bytes > 0) this.#room.bytes.give(this.#who, this.#bytes)
    this.#bytes = 0
  }
}

/**
 * Reads a body with `read`, and counts its arrived bytes. The announced length is not counted, because it may be false.
 */
export function readHeld(ctx: Context, admission: Admission, read: BodyReader): Body | Promise<Body> {
  const reading = read(ctx, (bytes) => admission.hold(bytes))
  const held = (body: Body) => {
    admission.hold(body.bytes)
    return body
  }
  return reading instanceof Promise ? reading.then(held) : held(reading)
}
