import { Failure } from '../model/failure.ts'
import type { Queue } from '../model/ports.ts'
import { createSharedRoom } from '../model/shared/room.ts'

export type QueueSettings = {
  /** How many calls may run at once. */
  readonly concurrency: number
  /** How long one call may wait. */
  readonly queueMs: number
  /** How many calls may wait. */
  readonly queueLimit: number
}

export function createQueue({ concurrency, queueMs, queueLimit }: QueueSettings): Queue {
  /** Waiting calls by principal, in order of arrival; the first principal is next. */
  const waiters = new Map<string, Set<() => void>>()
  const places = createSharedRoom(() => queueLimit)
  let running = 0
  const busy = (message: string) => new Failure('busy', message, { retryAfterMs: 1000 })
  return {
    enter() {
      if (running >= concurrency) return false
      running++
      return true
    },
    wait(signal, leftMs, who = '') {
      if (queueLimit < 1 || !places.hasRoomFor(who, 1)) {
        return Promise.reject(busy('Too many calls are already waiting for this upstream.'))
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const stop = () => {
        forget(waiters, who, take)
        places.give(who, 1)
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
        reject(busy('This upstream had no free slot for the call in time.'))
      }
      places.take(who, 1)
      const timer = setTimeout(expire, Math.max(1, Math.min(queueMs, leftMs)))
      if (signal.aborted) leave()
      else {
        signal.addEventListener('abort', leave)
        const own = waiters.get(who)
        if (own === undefined) waiters.set(who, new Set([take]))
        else own.add(take)
      }
      return promise
    },
    leave() {
      // The place is handed over directly, so that new calls cannot overtake waiting ones. Principals take turns.
      const [turn] = waiters
      if (turn === undefined) {
        running--
        return
      }
      const [who, own] = turn
      waiters.delete(who)
      waiters.set(who, own)
      const [next] = own
      next?.()
    },
    read: () => ({ running, waiting: places.used }),
  }
}

/** A principal without waiting calls takes no turn. */
function forget(waiters: Map<string, Set<() => void>>, who: string, take: () => void): void {
  const own = waiters.get(who)
  if (own?.delete(take) === true && own.size === 0) waiters.delete(who)
}
