import type { CallSignal } from '../model/call-signal.ts'
import { asFailure, type Failure } from '../model/failure.ts'
import type { Clock } from '../model/ports.ts'
import type { SharedCache } from '../model/shared/cache.ts'
import { answerPieces, writePieces } from './answer-pieces.ts'
import {
  type Answering,
  createIdempotency,
  type Digested,
  digestOf,
  type Idempotency,
  type IdempotencySettings,
  isFinal,
  keyReused,
  type Perform,
} from './idempotency.ts'
import type { AnswerFacts, AnswerWriter } from './idempotent-answer.ts'

export type SharedIdempotencyParts = {
  readonly cache: SharedCache
  /** This process. */
  readonly owner: string
  /** The longest time that making an answer may take. */
  readonly makingMs: number
}

/**
 * Idempotency across all processes of the gateway. One process makes the answer and writes it to the shared cache,
 * where the others follow it. If that process dies, the followers are notified, and the key is free. While the shared
 * cache is unavailable, each process works on its own.
 */
export function createSharedIdempotency(
  settings: IdempotencySettings,
  clock: Pick<Clock, 'now'>,
  parts: SharedIdempotencyParts,
): Idempotency {
  const { cache, owner, makingMs } = parts
  const local = createIdempotency(settings, clock, (key) => {
    cache.forget(cacheKey(key), owner).catch(ignored)
  })
  const make = (digested: Digested, signal: CallSignal, perform: Perform): Answering => {
    const writer = new CacheWriter(parts, cacheKey(digested.key), settings)
    return local.begin(digested, signal, {
      perform: (answer, signal) => writer.record(answer, signal, perform),
      isKept: () => !writer.isLost,
    })
  }
  const follow = (digested: Digested, signal: CallSignal): Answering => {
    const { reader } = local.begin(digested, signal, {
      perform: (answer, signal) => writePieces(cache.follow(cacheKey(digested.key), signal), answer),
      isKept: () => false,
      isCopy: true,
    })
    return { reader, work: undefined }
  }
  const answerShared = async (
    digested: Digested,
    signal: CallSignal,
    perform: Perform,
  ): Promise<Answering> => {
    const { key, fingerprint } = digested
    const start = { owner, fingerprint, ttlMs: makingMs }
    const begun = await cache.begin(cacheKey(key), start).catch(ignored)
    if (begun?.isYours === false && begun.fingerprint !== fingerprint) throw keyReused()
    try {
      const here = local.join(digested, signal)
      if (here === undefined && begun?.isYours) return make(digested, signal, perform)
      // Another caller here started it while the cache was unavailable, or follows it already.
      if (here !== undefined && begun?.isYours) drop(parts, key)
      if (here !== undefined) return here
    } catch (thrown) {
      if (begun?.isYours) drop(parts, key)
      throw thrown
    }
    return begun === undefined ? local.begin(digested, signal, { perform }) : follow(digested, signal)
  }
  return {
    answer(keyed, signal, perform) {
      const digested = digestOf(keyed)
      return local.join(digested, signal) ?? answerShared(digested, signal, perform)
    },
    counts: local.counts,
    ended: local.ended,
    close: local.close,
    endOf: local.endOf,
  }
}

function cacheKey(key: string): string {
  return `idempotency:${key}`
}

function drop({ cache, owner }: SharedIdempotencyParts, key: string): void {
  cache.finish(cacheKey(key), owner, 'drop').catch(ignored)
}

/** The shared cache reports itself that it is unavailable. */
function ignored(): undefined {}

/** How many characters of an answer may wait to be written to the cache. */
const mostPending = 1_000_000

/** Copies an answer that is made here to the cache. Pieces that arrive during a write are batched into the next one. */
class CacheWriter {
  readonly #parts: SharedIdempotencyParts
  readonly #key: string
  readonly #settings: IdempotencySettings
  #pending: string[] = []
  #pendingCharacters = 0
  #characters = 0
  #writing: Promise<void> | undefined
  #hasRoom = true
  /** The cache was unavailable: the answer is kept only here. */
  #isUnavailable = false
  /** The key no longer belongs to this answer. */
  isLost = false

  constructor(parts: SharedIdempotencyParts, key: string, settings: IdempotencySettings) {
    this.#parts = parts
    this.#key = key
    this.#settings = settings
  }

  /** Settles when the end is in the cache: once a caller has read the whole answer here, all processes have it. */
  async record(answer: AnswerWriter, signal: AbortSignal, perform: Perform): Promise<void> {
    let hasBegun = false
    let reported: Failure | undefined
    const both: AnswerWriter = {
      begin: (made: AnswerFacts) => {
        hasBegun = true
        this.#add(answerPieces.begin(made))
        answer.begin(made)
      },
      write: (text) => {
        if (text !== '') this.#add(answerPieces.text(text))
        this.#hasRoom = answer.write(text)
        return this.#hasRoom
      },
      drained: async () => {
        if (this.#pendingCharacters > mostPending) await this.#writing
        await answer.drained()
      },
      end: (made) => {
        this.#add(answerPieces.end(made))
        answer.end(made)
      },
      reportFailure: (failure, text) => {
        reported = failure
        if (text !== '') this.#add(answerPieces.text(text))
        answer.reportFailure(failure, text)
      },
    }
    try {
      await perform(both, signal)
    } catch (thrown) {
      const failure = asFailure(thrown)
      this.#add(answerPieces.failure(failure, failure === reported))
      await this.#end(failure, hasBegun)
      throw failure
    }
    await this.#end(undefined, hasBegun)
  }

  #add(piece: string): void {
    if (this.isLost || this.#isUnavailable) return
    this.#characters += piece.length
    if (2 * this.#characters > this.#settings.maxBytes) {
      this.#giveUp()
      return
    }
    this.#pending.push(piece)
    this.#pendingCharacters += piece.length
    this.#writing ??= this.#write()
  }

  async #write(): Promise<void> {
    const { cache, owner } = this.#parts
    try {
      // Batches the writes of one turn of the event loop.
      await Promise.resolve()
      while (this.#pending.length > 0) {
        const pieces = this.#pending
        this.#pending = []
        this.#pendingCharacters = 0
        if (!(await cache.append(this.#key, owner, pieces))) this.isLost = true
        if (this.isLost) this.#pending = []
      }
    } catch {
      this.#isUnavailable = true
      this.#pending = []
    } finally {
      this.#writing = undefined
    }
  }

  async #end(failure: Failure | undefined, hasBegun: boolean): Promise<void> {
    const { cache, owner } = this.#parts
    await this.#writing
    if (this.isLost) return
    const isKept = this.#hasRoom && isFinal(failure, hasBegun) && !this.#isUnavailable
    const end = isKept ? { keepMs: this.#settings.ttlMs } : 'drop'
    try {
      if (!(await cache.finish(this.#key, owner, end))) this.isLost = true
    } catch {
      this.#isUnavailable = true
    }
  }

  /** The answer is too large to be kept: its followers in other processes are notified that it ends. */
  #giveUp(): void {
    const { cache, owner } = this.#parts
    this.isLost = true
    this.#pending = []
    cache.finish(this.#key, owner, 'drop').catch(ignored)
  }
}
