import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Failure } from '../core/model/failure.ts'
import { shuttingDown } from '../http/call/open-calls.ts'
import type { RunningServer } from '../http/server.ts'

/** The shutdown of a gateway, in phases. */
export interface Drain {
  /**
   * `leaving`: still serves, but is reported as not ready. `draining`: refuses new calls and lets running ones finish.
   */
  readonly phase: 'serving' | 'leaving' | 'draining'
  /** Goes through the phases until the last connection has ended. Runs once. */
  run(server: RunningServer, times: DrainTimes): Promise<void>
  /** Stops waiting: running calls are ended with a failure. */
  hurry(): void
}

export type DrainTimes = {
  /** The time for which it still serves after it reports that it is not ready, so that load balancers notice. */
  readonly delayMs: number
  /** The time in which calls may finish, from the start and including that delay. */
  readonly graceMs: number
}

/** The running calls. */
export type CallsInFlight = {
  /** Closes the connection of each call after its answer. */
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
      // Requests that arrived before this point are registered at the end of the turn, and count as running.
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

/** The time in which callers can read the last frames of their streams. */
const lastWordsMs = 2000

/** Resolves after `ms`, or as soon as the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined)
}
