import { Worker } from 'node:worker_threads'

/**
 * A worker thread for blocking queries. It starts with the first question, and again with the first one after a
 * failure.
 */
export interface QueryThread extends AsyncDisposable {
  /** Rejects if the thread cannot answer. */
  ask(question: unknown): Promise<unknown>
}

export type ThreadQuestion = { readonly id: number; readonly question: unknown }

export type ThreadAnswer =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly reason: string }

/** `code` is the worker, which calls `answerQuestions`; `data` is its worker data. */
export function createQueryThread(name: string, code: URL, data: unknown): QueryThread {
  return new QuestionThread(name, code, data)
}

class QuestionThread implements QueryThread {
  readonly #name: string
  readonly #code: URL
  readonly #data: unknown
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #worker: Worker | undefined
  #lastId = 0

  constructor(name: string, code: URL, data: unknown) {
    this.#name = name
    this.#code = code
    this.#data = data
  }

  ask(question: unknown): Promise<unknown> {
    this.#worker ??= this.#start()
    const waiting = Promise.withResolvers<unknown>()
    const message: ThreadQuestion = { id: ++this.#lastId, question }
    this.#waiting.set(message.id, waiting)
    this.#worker.postMessage(message)
    return waiting.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(this.#code, {
      name: this.#name,
      workerData: this.#data,
      resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 },
    })
    worker.unref()
    worker.on('message', (answered: ThreadAnswer) => {
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
