import { Worker } from 'node:worker_threads'

/** A thread of its own for what blocks: it is started at the first question, and again at the first after it failed. */
export interface QueryThread extends AsyncDisposable {
  /** Rejects where the thread cannot answer. */
  ask(question: unknown): Promise<unknown>
}

export type ThreadQuestion = { readonly id: number; readonly question: unknown }

export type ThreadAnswer =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly reason: string }

/** `code` answers by `answerQuestions`, and has `data` as its worker's data. */
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
    const asked: ThreadQuestion = { id: ++this.#lastId, question }
    this.#waiting.set(asked.id, waiting)
    this.#worker.postMessage(asked)
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
