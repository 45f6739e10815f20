import { Failure } from '../model/failure.ts'
import type { Queue } from '../model/ports.ts'
import { createFairCapacity } from '../model/shared/fair-capacity.ts'
import { createOwnPlaces } from './own-places.ts'

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
  let places = createOwnPlaces(concurrency)
  let most = queueLimit
  let longestMs = queueMs
  const room = createFairCapacity(() => most)
  const busy = (message: string) => new Failure('busy', message, { retryAfterMs: 1000 })
  const serve = () => {
    while (waiters.size > 0 && places.take()) passOn(waiters)
  }
  return {
    enter: () => places.take(),
    wait(signal, leftMs, who = '') {
      if (most < 1 || !room.hasRoomFor(who, 1)) {
        return Promise.reject(busy('Too many calls are already waiting for this upstream.'))
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const stop = () => {
        forget(waiters, who, take)
        room.give(who, 1)
        places.endWait(serve)
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
      room.take(who, 1)
      places.wait(serve)
      const timer = setTimeout(expire, Math.max(1, Math.min(longestMs, leftMs)))
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
      if (waiters.size > 0 && places.mayPassOn()) passOn(waiters)
      else places.give()
    },
    read: () => ({ running: places.used, waiting: room.used }),
    share(of) {
      places = of(concurrency)
      // To ask the other processes is not to wait.
      if (queueLimit < 1) most = concurrency
      longestMs = queueLimit < 1 ? askMs : Math.max(askMs, queueMs)
    },
  }
}

/** A process that has no free place hears from the others within this time, unless they are gone. */
const askMs = 250

/** The place goes to the longest-waiting call of the next principal. */
function passOn(waiters: Map<string, Set<() => void>>): void {
  const [turn] = waiters
  if (turn === undefined) return
  const [who, own] = turn
  waiters.delete(who)
  waiters.set(who, own)
  const [next] = own
  next?.()
}

/** A principal without waiting calls takes no turn. */
function forget(waiters: Map<string, Set<() => void>>, who: string, take: () => void): void {
  const own = waiters.get(who)
  if (own?.delete(take) === true && own.size === 0) waiters.delete(who)
}
