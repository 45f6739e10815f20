import type { CallSignal } from '../model/call-signal.ts'

/** Lets callers who want the same thing at the same time share the work of one. */
export interface Coalescer<T> {
  /**
   * What `start` gives: called here, unless the work of an earlier caller with this key still goes on. It is one
   * and the same for all who share it, also when it is a failure. Rejects with the signal's reason as soon as
   * `signal` aborts; the work's own signal aborts, with the same reason, when the last who waited for it left.
   */
  run(key: string, signal: CallSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** How many pieces of work go on for somebody. */
  readonly inFlight: number
}

export function createCoalescer<T>(): Coalescer<T> {
  const shared = new Map<string, Shared<T>>()
  const begin = (key: string, start: (signal: AbortSignal) => Promise<T>): Shared<T> => {
    const abort = new AbortController()
    const forget = () => {
      // A caller that came after all had left has started again under the same key.
      if (shared.get(key) === entry) shared.delete(key)
    }
    // It is removed before its end is announced: a caller that asks again then starts over.
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
  /** Ends work that no caller waits for. */
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
  // The work's own beginning may have made the caller leave.
  if (signal.aborted) leave()
  return promise
}
