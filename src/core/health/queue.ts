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
  let mostWaiting = queueLimit
  let longestMs = queueMs
  const capacity = createFairCapacity(() => mostWaiting)
  const busy = (message: string) => new Failure('busy', message, { retryAfterMs: 1000 })
  const serve = () => {
    while (waiters.size > 0 && places.take()) passOn(waiters)
  }
  return {
    enter: () => places.take(),
    wait(signal, leftMs, principal = '') {
      if (mostWaiting < 1 || !capacity.hasRoomFor(principal, 1)) {
        return Promise.reject(busy('Too many calls are already waiting for this upstream.'))
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const stop = () => {
        forget(waiters, principal, take)
        capacity.give(principal, 1)
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
      capacity.take(principal, 1)
      places.wait(serve)
      const timer = setTimeout(expire, Math.max(1, Math.min(longestMs, leftMs)))
      if (signal.aborted) leave()
      else {
        signal.addEventListener('abort', leave)
        const own = waiters.get(principal)
        if (own === undefined) waiters.set(principal, new Set([take]))
        else own.add(take)
      }
      return promise
    },
    leave() {
      // The place is handed over directly, so that new calls cannot overtake waiting ones. Principals are served
      // round-robin.
      if (waiters.size > 0 && places.mayPassOn()) passOn(waiters)
      else places.give()
    },
    read: () => ({ running: places.used, waiting: capacity.used }),
    share(of) {
      places = of(concurrency)
      // Asking the other processes for a place does not count as queueing.
      if (queueLimit < 1) mostWaiting = concurrency
      longestMs = queueLimit < 1 ? askMs : Math.max(askMs, queueMs)
    },
  }
}

/** A process without a free place gets one from the others within this time, unless they have died. */
const askMs = 250

/** The place goes to the longest-waiting call of the next principal. */
function passOn(waiters: Map<string, Set<() => void>>): void {
  const [turn] = waiters
  if (turn === undefined) return
  const [principal, own] = turn
  waiters.delete(principal)
  waiters.set(principal, own)
  const [next] = own
  next?.()
}

/** A principal without waiting calls leaves the round-robin. */
function forget(waiters: Map<string, Set<() => void>>, principal: string, take: () => void): void {
  const own = waiters.get(principal)
  if (own?.delete(take) === true && own.size === 0) waiters.delete(principal)
}
