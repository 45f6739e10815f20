import type { CallSignal } from '../model/call-signal.ts'

/** Lets callers with the same request share one piece of work. */
export interface Coalescer<T> {
  /**
   * The result of `start`, which is called unless an earlier caller's work with this key is still running. All share
   * one result, even a failure. Rejects with the signal's reason as soon as `signal` aborts; the work's own signal
   * aborts, with the same reason, when the last waiting caller leaves.
   */
  run(key: string, signal: CallSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** How many pieces of work are waited for. */
  readonly inFlight: number
}

export function createCoalescer<T>(): Coalescer<T> {
  const shared = new Map<string, Shared<T>>()
  const begin = (key: string, start: (signal: AbortSignal) => Promise<T>): Shared<T> => {
    const abort = new AbortController()
    const forget = () => {
      // After all callers had left, a new one may have started again under the same key.
      if (shared.get(key) === entry) shared.delete(key)
    }
    // Removed before it settles: a caller that then repeats the request starts over.
    const work = Promise.try(start, abort.signal).finally(forget)
    const entry: Shared<T> = {
      work,
      waiting: 0,
      abandon(reason) {
        forget()
        abort.abort(reason)
      },
    }
    shared.set(key, entry)
    return entry
  }
  return {
    run: (key, signal, start) =>
      signal.aborted ? Promise.reject(signal.reason) : join(shared.get(key) ?? begin(key, start), signal),
    get inFlight() {
      return shared.size
    },
  }
}

type Shared<T> = {
  readonly work: Promise<T>
  waiting: number
  /** Cancels work that no caller waits for. */
  readonly abandon: (reason: unknown) => void
}

function join<T>(entry: Shared<T>, signal: CallSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const leave = () => {
    reject(signal.reason)
    entry.waiting--
    if (entry.waiting === 0) entry.abandon(signal.reason)
  }
  entry.waiting++
  signal.addEventListener('abort', leave, { once: true })
  const stay = () => signal.removeEventListener('abort', leave)
  entry.work.finally(stay).then(resolve, reject)
  // Starting the work may have made the caller leave.
  if (signal.aborted) leave()
  return promise
}
