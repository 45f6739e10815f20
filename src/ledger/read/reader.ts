import { Worker } from 'node:worker_threads'
import type { StoreAddress } from '../store/all.ts'
import type { Store } from '../store/store.ts'
import type { Answered, Asked, Question } from './messages.ts'

/** Reads the store in a thread of its own, so that no report delays a call. Rejects where the store cannot answer. */
export interface LedgerReader
  extends Pick<Store, 'usage' | 'calls' | 'reach' | 'counts' | 'call'>,
    AsyncDisposable {}

/** The thread is started at the first question. Each waits for `ready`. */
export function createReader(address: StoreAddress, ready: () => Promise<void>): LedgerReader {
  return new WorkerReader(address, ready)
}

class WorkerReader implements LedgerReader {
  readonly #address: StoreAddress
  readonly #ready: () => Promise<void>
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #worker: Worker | undefined
  #lastId = 0

  constructor(address: StoreAddress, ready: () => Promise<void>) {
    this.#address = address
    this.#ready = ready
  }

  usage: Store['usage'] = (about) => this.#ask({ what: 'usage', about }) as ReturnType<Store['usage']>
  calls: Store['calls'] = (about) => this.#ask({ what: 'calls', about }) as ReturnType<Store['calls']>
  reach: Store['reach'] = (about) => this.#ask({ what: 'reach', about }) as ReturnType<Store['reach']>
  counts: Store['counts'] = (about) => this.#ask({ what: 'counts', about }) as ReturnType<Store['counts']>
  call: Store['call'] = (about) => this.#ask({ what: 'call', about }) as ReturnType<Store['call']>

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate()
  }

  async #ask(question: Question): Promise<unknown> {
    await this.#ready()
    this.#worker ??= this.#start()
    const waiting = Promise.withResolvers<unknown>()
    const asked: Asked = { id: ++this.#lastId, question }
    this.#waiting.set(asked.id, waiting)
    this.#worker.postMessage(asked)
    return await waiting.promise
  }

  #start(): Worker {
    const worker = new Worker(new URL('./reader-worker.ts', import.meta.url), {
      name: 'ledger reader',
      workerData: this.#address,
      resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 },
    })
    worker.unref()
    worker.on('message', (answered: Answered) => {
      const waiting = this.#waiting.get(answered.id)
      this.#waiting.delete(answered.id)
      if ('reason' in answered) waiting?.reject(new Error(answered.reason))
      else waiting?.resolve(answered.answer)
    })
    let reason = 'the thread ended'
    worker.on('error', (error) => {
      reason = String(error)
    })
    worker.on('exit', () => {
      this.#worker = undefined
      for (const waiting of this.#waiting.values()) waiting.reject(new Error(reason))
      this.#waiting.clear()
    })
    return worker
  }
}
