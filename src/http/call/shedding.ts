import type { Context } from 'koa'
import { Failure } from '../../core/model/failure.ts'
import type { Random } from '../../core/model/ports.ts'
import type { Body, BodyReader } from './body.ts'
import { encodingOf } from './inflate.ts'
import type { Pressure } from './pressure.ts'

/** Turns calls away when there is more work than the process can take. Those it has let in are left alone. */
export interface Shedding {
  /** Lets a call in, until what is given back is disposed. Throws `shed`. */
  admit(): Admission
  /** Why a call that came now would be turned away; undefined: it would not. */
  reason(): ShedReason | undefined
  read(): SheddingReading
}

/** A call that was let in. */
export interface Admission extends Disposable {
  /** The size of the call's body, as far as it is known. Throws `shed` when that is more than there is room for. */
  hold(bytes: number): void
}

export type ShedReason = 'in_flight' | 'in_flight_bytes' | 'event_loop' | 'heap'

export type SheddingReading = {
  readonly inFlight: number
  readonly inFlightBytes: number
  /** Calls that were turned away since the start. */
  readonly shed: Readonly<Record<ShedReason, number>>
}

export type SheddingLimits = {
  /** Calls under way at once. */
  readonly inFlight: number
  /** Of the bodies of all of them. One that is alone is let in whatever its size. */
  readonly inFlightBytes: number
  readonly loopDelayMs: number
  /** Of the heap's limit. */
  readonly heapShare: number
}

export type SheddingParts = {
  /** Those that hold now. */
  readonly limits: () => SheddingLimits
  readonly pressure: Pick<Pressure, 'loopDelayMs' | 'heapShare'>
  /** Spreads out when those who were turned away are told to come back. */
  readonly random: Random
}

export function createShedding({ limits, pressure, random }: SheddingParts): Shedding {
  const held: Held = { calls: 0, bytes: 0 }
  const shed: Record<ShedReason, number> = { in_flight: 0, in_flight_bytes: 0, event_loop: 0, heap: 0 }
  const turnAway = (reason: ShedReason) => {
    shed[reason]++
    return new Failure('shed', 'The gateway has more work than it can take.', {
      retryAfterMs: 1000 + random() * 2000,
      operatorNote: `shed: ${reason}`,
    })
  }
  const reasonNow = (): ShedReason | undefined => {
    const { inFlight, loopDelayMs, heapShare } = limits()
    if (held.calls >= inFlight) return 'in_flight'
    if (pressure.loopDelayMs > loopDelayMs) return 'event_loop'
    return pressure.heapShare > heapShare ? 'heap' : undefined
  }
  const refuseBytes = (bytes: number) => {
    if (bytes > limits().inFlightBytes) throw turnAway('in_flight_bytes')
  }
  return {
    admit() {
      const reason = reasonNow()
      if (reason !== undefined) throw turnAway(reason)
      held.calls++
      return new CallAdmission(held, refuseBytes)
    },
    reason: reasonNow,
    read: () => ({ inFlight: held.calls, inFlightBytes: held.bytes, shed: { ...shed } }),
  }
}

/** What all calls that are let in hold together. */
type Held = { calls: number; bytes: number }

/** A class, as what every call has anew: its methods are made once. */
class CallAdmission implements Admission {
  readonly #held: Held
  /** Throws where so many are too many, of several calls together. */
  readonly #refuse: (bytes: number) => void
  #bytes = 0

  constructor(held: Held, refuse: (bytes: number) => void) {
    this.#held = held
    this.#refuse = refuse
  }

  hold(bytes: number): void {
    const others = this.#held.bytes - this.#bytes
    if (others > 0) this.#refuse(others + bytes)
    this.#held.bytes = others + bytes
    this.#bytes = bytes
  }

  [Symbol.dispose](): void {
    this.#held.calls--
    this.#held.bytes -= this.#bytes
  }
}

/**
 * Reads a body as `read` does, and holds room for it meanwhile: for all of it from the start where its length is told,
 * at most `longestBytes`, for any longer one is refused; otherwise for what has come. In the end for what it came to.
 */
export function readHeld(
  ctx: Context,
  admission: Admission,
  read: BodyReader,
  longestBytes: number,
): Body | Promise<Body> {
  const length = ctx.req.headers['content-length']
  if (length !== undefined) admission.hold(Math.min(Number(length), longestBytes))
  const hold = (bytes: number) => admission.hold(bytes)
  const isPlain = encodingOf(ctx.req) === undefined
  const reading = isPlain && length === undefined ? readAsItComes(ctx, admission, read) : read(ctx, hold)
  const held = (body: Body) => {
    admission.hold(body.bytes)
    return body
  }
  return reading instanceof Promise ? reading.then(held) : held(reading)
}

function readAsItComes(ctx: Context, admission: Admission, read: BodyReader): Promise<Body> {
  return new Promise((resolve, reject) => {
    // The reader listens by now: one more who does sets nothing flowing that nobody hears.
    Promise.resolve(read(ctx)).then(resolve, reject)
    let bytes = 0
    ctx.req.on('data', (piece: Buffer) => {
      bytes += piece.length
      try {
        admission.hold(bytes)
      } catch (thrown) {
        // Nobody is to keep what still comes.
        ctx.req.removeAllListeners('data')
        reject(thrown)
      }
    })
  })
}
