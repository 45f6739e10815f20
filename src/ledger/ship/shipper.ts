import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Position } from '../journal/segments.ts'
import type { ShipperData, ShipperNews, ShipperOrder } from './messages.ts'

/** The thread that ships the journal to the store. Disposing waits until the store has everything that was written. */
export interface Shipper extends AsyncDisposable {
  readonly state: ShipperState
  /** Resolves when the store has everything before a position, also on failure or timeout. */
  catchUp(to: Position): Promise<void>
}

export type ShipperState = {
  /** Everything before it is in the store; undefined: unknown so far. */
  readonly position: Position | undefined
  /** When the latest call in the store began, in epoch milliseconds. */
  readonly lastAt: number | undefined
  /** Why it currently cannot continue. */
  readonly failure: string | undefined
  readonly failures: number
  readonly shippedCalls: number
}

export type ShipperParts = {
  readonly data: ShipperData
  /** Called each time more has been stored. */
  readonly shipped: (position: Position) => void
  /** Called with events for the operator. */
  readonly report: (news: ShipperReport) => void
}

export type ShipperReport =
  | { readonly what: 'store_failed' | 'shipper_failed'; readonly reason: string }
  | { readonly what: 'store_back' }
  | { readonly what: 'migrated'; readonly names: readonly string[] }
  | { readonly what: 'damaged'; readonly bytes: number; readonly segments: number }

export function startShipper(parts: ShipperParts): Shipper {
  return new WorkerShipper(parts)
}

class WorkerShipper implements Shipper {
  readonly #parts: ShipperParts
  #worker: Worker
  #state: ShipperState = {
    ...{ position: undefined, lastAt: undefined, failure: undefined, failures: 0, shippedCalls: 0 },
  }
  readonly #waiting = new Set<Waiting>()
  #isFinishing = false
  #restart: NodeJS.Timeout | undefined

  constructor(parts: ShipperParts) {
    this.#parts = parts
    this.#worker = this.#start()
  }

  get state(): ShipperState {
    return this.#state
  }

  catchUp(to: Position): Promise<void> {
    if (this.#hasShipped(to)) return Promise.resolve()
    const waiting = { to, ...Promise.withResolvers<void>() }
    this.#waiting.add(waiting)
    const late = setTimeout(waiting.resolve, catchUpWithinMs)
    this.#worker.postMessage('wake' satisfies ShipperOrder)
    return waiting.promise.finally(() => {
      clearTimeout(late)
      this.#waiting.delete(waiting)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isFinishing = true
    clearTimeout(this.#restart)
    const worker = this.#worker
    if (worker.threadId === -1) return
    const ended = once(worker, 'exit')
    worker.postMessage('finish' satisfies ShipperOrder)
    const late = setTimeout(() => void worker.terminate(), finishWithinMs)
    await ended
    clearTimeout(late)
  }

  #start(): Worker {
    const worker = new Worker(new URL('./shipper-worker.ts', import.meta.url), {
      name: 'ledger shipper',
      workerData: this.#parts.data,
      resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 },
    })
    // The thread does not keep the process alive.
    worker.unref()
    worker.on('message', (news: ShipperNews) => this.#receive(news))
    worker.on('error', (error) => this.#parts.report({ what: 'shipper_failed', reason: String(error) }))
    worker.on('exit', () => {
      if (this.#isFinishing) return
      this.#fail('the thread ended')
      this.#restart = setTimeout(() => {
        this.#worker = this.#start()
      }, restartMs)
      this.#restart.unref()
    })
    return worker
  }

  #receive(news: ShipperNews): void {
    const { report, shipped } = this.#parts
    if (news.what === 'failed') {
      if (this.#state.failure === undefined) report({ what: 'store_failed', reason: news.reason })
      this.#fail(news.reason)
    } else if (news.what === 'damaged') {
      report(news)
    } else if (news.what === 'current') {
      this.#recover()
      this.#state = { ...this.#state, position: news.at }
    } else if (news.what === 'opened') {
      if (news.migrated.length > 0) report({ what: 'migrated', names: news.migrated })
      // It may open and still accept nothing.
      this.#state = { ...this.#state, position: news.from ?? this.#state.position }
      if (news.from !== undefined) shipped(news.from)
    } else {
      this.#recover()
      const { to: position, calls, lastAt = this.#state.lastAt } = news
      this.#state = { ...this.#state, position, lastAt, shippedCalls: this.#state.shippedCalls + calls }
      shipped(position)
      for (const waiting of this.#waiting) if (this.#hasShipped(waiting.to)) waiting.resolve()
    }
  }

  #hasShipped({ segment, offset }: Position): boolean {
    const { position } = this.#state
    if (position === undefined || position.segment < segment) return false
    return position.segment > segment || position.offset >= offset
  }

  #fail(failure: string): void {
    for (const { resolve } of this.#waiting) resolve()
    this.#state = { ...this.#state, failure, failures: this.#state.failures + 1 }
  }

  #recover(): void {
    if (this.#state.failure === undefined) return
    this.#state = { ...this.#state, failure: undefined }
    this.#parts.report({ what: 'store_back' })
  }
}

type Waiting = { readonly to: Position; readonly resolve: () => void }

const restartMs = 1000
const finishWithinMs = 5000
const catchUpWithinMs = 2000
