import pTimeout from 'p-timeout'
import { Failure } from '../model/failure.ts'
import type { Clock } from '../model/ports.ts'
import type { ResponseStorage } from '../model/response-storage.ts'
import type { MemoryResponses } from './memory-responses.ts'

export type LastingResponsesParts = {
  /** The durable storage, which all processes share. */
  readonly store: ResponseStorage
  /** Holds responses that wait for the store, within its limits. */
  readonly memory: MemoryResponses
  readonly clock: Pick<Clock, 'now'>
  readonly events: {
    away(reason: string): void
    back(): void
  }
}

/**
 * Responses that outlive the process. If the store is unavailable, no call fails because of it: new responses wait in
 * memory, and are stored later. A response that is not in memory is then reported as unavailable, not as unknown.
 */
export function createLastingResponses(parts: LastingResponsesParts): ResponseStorage & AsyncDisposable {
  return new Lasting(parts)
}

class Lasting implements ResponseStorage, AsyncDisposable {
  readonly #parts: LastingResponsesParts
  #isUnavailable = false
  /** When the store is tried again, while it is unavailable. */
  #retryAt = 0
  #flushing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(parts: LastingResponsesParts) {
    this.#parts = parts
  }

  put: ResponseStorage['put'] = async (tenant, response) => {
    const { store, memory } = this.#parts
    const isPut = await this.#attempt(async () => await store.put(tenant, response)).then(
      () => true,
      () => false,
    )
    if (isPut) return
    memory.put(tenant, response)
    this.#timer ??= setInterval(() => void this.#flush(), retryMs).unref()
  }

  find: ResponseStorage['find'] = async (tenant, id) => {
    const { store, memory } = this.#parts
    await this.#flush()
    return memory.find(tenant, id) ?? (await this.#attempt(async () => await store.find(tenant, id)))
  }

  recall: ResponseStorage['recall'] = async (tenant, wanted) => {
    const { store, memory } = this.#parts
    await this.#flush()
    if (memory.size > 0) {
      const recalled = memory.recall(tenant, wanted)
      const isAll = recalled.missing === undefined && wanted.itemIds.length === 0
      if (isAll) return recalled
    }
    return await this.#attempt(async () => await store.recall(tenant, wanted))
  }

  remove: ResponseStorage['remove'] = async (tenant, id) => {
    const { store, memory } = this.#parts
    await this.#flush()
    const isRemoved = await this.#attempt(async () => await store.remove(tenant, id))
    return memory.remove(tenant, id) || isRemoved
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#retryAt = 0
    await this.#flush()
  }

  /** Stores the responses that wait in memory. */
  #flush(): Promise<void> {
    if (this.#parts.memory.size === 0) return Promise.resolve()
    this.#flushing ??= this.#flushAll().finally(() => {
      this.#flushing = undefined
    })
    return this.#flushing
  }

  async #flushAll(): Promise<void> {
    const { store, memory } = this.#parts
    try {
      for (const [tenant, response] of [...memory.entries()]) {
        await this.#attempt(async () => await store.put(tenant, response))
        memory.remove(tenant, response.id)
      }
      clearInterval(this.#timer)
      this.#timer = undefined
    } catch {
      // The failure is logged, and the timer tries again.
    }
  }

  /** Runs an operation of the store. Rejects at once while the store is unavailable. */
  async #attempt<Answer>(operation: () => Promise<Answer>): Promise<Answer> {
    const { clock, events } = this.#parts
    if (this.#isUnavailable && clock.now() < this.#retryAt) throw unavailable()
    // One call probes whether it is back; the others fail at once meanwhile.
    this.#retryAt = clock.now() + timeoutMs
    try {
      const answer = await pTimeout(operation(), { milliseconds: timeoutMs, message: timedOut })
      if (this.#isUnavailable) events.back()
      this.#isUnavailable = false
      return answer
    } catch (thrown) {
      if (!this.#isUnavailable) events.away(thrown instanceof Error ? thrown.message : 'unknown')
      this.#isUnavailable = true
      this.#retryAt = clock.now() + retryMs
      throw unavailable(thrown)
    }
  }
}

const retryMs = 1000
/** A thread on a loaded machine takes seconds to start. */
const timeoutMs = 10_000
const timedOut = new Error('the store did not answer in time')

function unavailable(cause?: unknown): Failure {
  return new Failure('internal', 'Stored responses cannot be read at the moment.', {
    ...{ code: 'store_unavailable', isBug: false, retryAfterMs: retryMs, cause },
    shown: { status: 503, type: 'service_unavailable_error' },
  })
}
