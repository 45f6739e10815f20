import pTimeout from 'p-timeout'
import { Failure } from '../model/failure.ts'
import type { Clock } from '../model/ports.ts'
import type { ResponseShelf } from '../model/response-shelf.ts'
import type { MemoryResponses } from './memory-responses.ts'

export type LastingResponsesParts = {
  /** The durable shelf, which all processes share. */
  readonly store: ResponseShelf
  /** The limits of responses that wait for the store. */
  readonly memory: MemoryResponses
  readonly clock: Pick<Clock, 'now'>
  readonly events: {
    away(reason: string): void
    back(): void
  }
}

/**
 * Responses that outlast the process. While the store is away no call fails for it: new responses wait in memory, and
 * are stored later. A response that is not in memory is then refused as unavailable, not as unknown.
 */
export function createLastingResponses(parts: LastingResponsesParts): ResponseShelf & AsyncDisposable {
  return new Lasting(parts)
}

class Lasting implements ResponseShelf, AsyncDisposable {
  readonly #parts: LastingResponsesParts
  #isAway = false
  /** While the store is away, it is tried again at this time. */
  #askAgainAt = 0
  #handingOver: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(parts: LastingResponsesParts) {
    this.#parts = parts
  }

  put: ResponseShelf['put'] = async (tenant, response) => {
    const { store, memory } = this.#parts
    const isPut = await this.#tried(async () => await store.put(tenant, response)).then(
      () => true,
      () => false,
    )
    if (isPut) return
    memory.put(tenant, response)
    this.#timer ??= setInterval(() => void this.#handOver(), retryMs).unref()
  }

  find: ResponseShelf['find'] = async (tenant, id) => {
    const { store, memory } = this.#parts
    await this.#handOver()
    return memory.find(tenant, id) ?? (await this.#tried(async () => await store.find(tenant, id)))
  }

  recall: ResponseShelf['recall'] = async (tenant, wanted) => {
    const { store, memory } = this.#parts
    await this.#handOver()
    if (memory.size > 0) {
      const recalled = memory.recall(tenant, wanted)
      const isAll = recalled.missing === undefined && wanted.itemIds.length === 0
      if (isAll) return recalled
    }
    return await this.#tried(async () => await store.recall(tenant, wanted))
  }

  remove: ResponseShelf['remove'] = async (tenant, id) => {
    const { store, memory } = this.#parts
    await this.#handOver()
    const isRemoved = await this.#tried(async () => await store.remove(tenant, id))
    return memory.remove(tenant, id) || isRemoved
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#askAgainAt = 0
    await this.#handOver()
  }

  /** Stores what waits. */
  #handOver(): Promise<void> {
    if (this.#parts.memory.size === 0) return Promise.resolve()
    this.#handingOver ??= this.#handOverAll().finally(() => {
      this.#handingOver = undefined
    })
    return this.#handingOver
  }

  async #handOverAll(): Promise<void> {
    const { store, memory } = this.#parts
    try {
      for (const [tenant, response] of [...memory.entries()]) {
        await this.#tried(async () => await store.put(tenant, response))
        memory.remove(tenant, response.id)
      }
      clearInterval(this.#timer)
      this.#timer = undefined
    } catch {
      // The failure is logged, and it is tried again.
    }
  }

  /** Rejects at once while the store is away. */
  async #tried<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const { clock, events } = this.#parts
    if (this.#isAway && clock.now() < this.#askAgainAt) throw unavailable()
    // One call tries whether it is back: the others do not wait for that.
    this.#askAgainAt = clock.now() + answerWithinMs
    try {
      const answer = await pTimeout(ask(), { milliseconds: answerWithinMs, message: late })
      if (this.#isAway) events.back()
      this.#isAway = false
      return answer
    } catch (thrown) {
      if (!this.#isAway) events.away(thrown instanceof Error ? thrown.message : 'unknown')
      this.#isAway = true
      this.#askAgainAt = clock.now() + retryMs
      throw unavailable(thrown)
    }
  }
}

const retryMs = 1000
/** A thread on a loaded machine takes seconds to start. */
const answerWithinMs = 10_000
const late = new Error('the store did not answer in time')

function unavailable(cause?: unknown): Failure {
  return new Failure('internal', 'Stored responses cannot be read at the moment.', {
    ...{ code: 'store_unavailable', isBug: false, retryAfterMs: retryMs, cause },
    shown: { status: 503, type: 'service_unavailable_error' },
  })
}
