import type { CallSignal } from './call-signal.ts'
import { Failure } from './failure.ts'

/**
 * The places at one upstream, as many as it may run at once, and who waits for one, in the order they came. Whoever
 * has a place gives it back once, by `leave`.
 */
export interface Queue {
  /** Takes a place, when one is free. */
  enter(): boolean
  /**
   * Resolves with a place taken. Rejects with `busy`: at once where too many wait already, or when none came free
   * within the queue's own time and `leftMs`; and with the signal's reason as soon as it aborts.
   */
  wait(signal: CallSignal, leftMs: number): Promise<void>
  /** Gives a place back: whoever has waited longest has it now. */
  leave(): void
  /** How many have a place, and how many wait for one. */
  read(): { readonly running: number; readonly waiting: number }
}

export type QueueSettings = {
  /** How many may have a place at once. */
  readonly concurrency: number
  /** How long one may wait for a place. */
  readonly queueMs: number
  /** How many may wait. */
  readonly queueLimit: number
}

export function createQueue({ concurrency, queueMs, queueLimit }: QueueSettings): Queue {
  const waiters = new Set<() => void>()
  let running = 0
  const busy = (message: string) => new Failure('busy', message, { retryAfterMs: 1000 })
  return {
    enter() {
      if (running >= concurrency) return false
      running++
      return true
    },
    wait(signal, leftMs) {
      if (waiters.size >= queueLimit) {
        return Promise.reject(busy('Too many calls wait for this upstream already.'))
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const stop = () => {
        waiters.delete(take)
        clearTimeout(timer)
        signal.removeEventListener('abort', leave)
      }
      const take = () => {
        stop()
        resolve()
      }
      const leave = () => {
        stop()
        reject(signal.reason)
      }
      const expire = () => {
        stop()
        reject(busy('This upstream had no room for the call in time.'))
      }
      const timer = setTimeout(expire, Math.max(1, Math.min(queueMs, leftMs)))
      if (signal.aborted) leave()
      else {
        signal.addEventListener('abort', leave)
        waiters.add(take)
      }
      return promise
    },
    leave() {
      // It changes hands: nobody who comes meanwhile can overtake those who wait.
      const [next] = waiters
      if (next === undefined) running--
      else next()
    },
    read: () => ({ running, waiting: waiters.size }),
  }
}
