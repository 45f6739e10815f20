import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Failure } from '../core/model/failure.ts'
import { shuttingDown } from '../http/call/open-calls.ts'
import type { RunningServer } from '../http/server.ts'

/** How a gateway comes to its end: told to whom, waited for how long. */
export interface Drain {
  /**
   * `leaving`: still serves, but wants to be found no more. `draining`: takes no new call, and lets those in flight
   * finish.
   */
  readonly phase: 'serving' | 'leaving' | 'draining'
  /** Goes through the phases to the last connection's end. Once. */
  run(server: RunningServer, times: DrainTimes): Promise<void>
  /** From now on waits for nothing: what is in flight is told so and ended. */
  hurry(): void
}

export type DrainTimes = {
  /** How long it goes on serving, for load balancers to see that it is not ready. */
  readonly delayMs: number
  /** From the beginning, that wait included, how long calls may take to finish. */
  readonly graceMs: number
}

/** The calls that are under way. */
export type CallsInFlight = {
  /** Has the connection of each closed after its answer. */
  hangUp(): void
  end(failure: Failure): void
}

export function createDrain(calls: CallsInFlight): Drain {
  const hurried = new AbortController()
  let phase: Drain['phase'] = 'serving'
  return {
    get phase() {
      return phase
    },
    async run(server, { delayMs, graceMs }) {
      phase = 'leaving'
      calls.hangUp()
      if (delayMs > 0) await pause(Math.min(delayMs, graceMs), hurried.signal)
      // What came before this is taken up at the end of the turn: it is one of those in flight.
      await setImmediate()
      phase = 'draining'
      const closed = new AbortController()
      const closing = server.close().then(() => closed.abort())
      await pause(Math.max(graceMs - delayMs, 0), AbortSignal.any([hurried.signal, closed.signal]))
      calls.end(shuttingDown())
      await pause(lastWordsMs, closed.signal)
      server.cut()
      await closing
    },
    hurry: () => hurried.abort(),
  }
}

/** For the last frames of streams to be read. */
const lastWordsMs = 2000

/** Resolves after `ms`, and at once when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined)
}
