import { Failure } from '../model/failure.ts'
import type { Queue } from '../model/ports.ts'

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
