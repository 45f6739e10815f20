import type { CallSignal } from '../model/call-signal.ts'
import { asFailure, type Failure } from '../model/failure.ts'
import type { Clock } from '../model/ports.ts'
import type { SharedShelf } from '../model/shared/shelf.ts'
import { answerPieces, writePieces } from './answer-pieces.ts'
import {
  type Answering,
  createIdempotency,
  type Digested,
  digestOf,
  type Idempotency,
  type IdempotencySettings,
  isFinal,
  type Perform,
  reused,
} from './idempotency.ts'
import type { AnswerFacts, AnswerWriter } from './idempotent-answer.ts'

export type SharedIdempotencyParts = {
  readonly shelf: SharedShelf
  /** This process. */
  readonly owner: string
  /** How long the longest answer may take to make. */
  readonly makingMs: number
}

/**
 * Answers by the keys of requests, whichever process of the gateway they reach. One process makes the answer, on the
 * shelf, where all others follow it. When that process dies, the followers are notified, and the key is free. While the
 * shelf is away, each process works on its own.
 */
export function createSharedIdempotency(
  settings: IdempotencySettings,
  clock: Pick<Clock, 'now'>,
  parts: SharedIdempotencyParts,
): Idempotency {
  const { shelf, owner, makingMs } = parts
  const local = createIdempotency(settings, clock, (key) => {
    shelf.forget(shelfKey(key), owner).catch(ignored)
  })
  const make = (digested: Digested, signal: CallSignal, perform: Perform): Answering => {
    const scribe = new Scribe(parts, shelfKey(digested.key), settings)
    return local.begin(digested, signal, {
      perform: (answer, signal) => scribe.record(answer, signal, perform),
      isKept: () => !scribe.isLost,
    })
  }
  const follow = (digested: Digested, signal: CallSignal): Answering => {
    const { reader } = local.begin(digested, signal, {
      perform: (answer, signal) => writePieces(shelf.follow(shelfKey(digested.key), signal), answer),
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
    const beginning = { owner, fingerprint, ttlMs: makingMs }
    const begun = await shelf.begin(shelfKey(key), beginning).catch(ignored)
    if (begun?.isYours === false && begun.fingerprint !== fingerprint) throw reused()
    try {
      const here = local.join(digested, signal)
      if (here === undefined && begun?.isYours) return make(digested, signal, perform)
      // Another caller here was faster while the shelf was away, or follows it already.
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

function shelfKey(key: string): string {
  return `idempotency:${key}`
}

function drop({ shelf, owner }: SharedIdempotencyParts, key: string): void {
  shelf.finish(shelfKey(key), owner, 'drop').catch(ignored)
}

/** The shelf is away: it reports that itself. */
function ignored(): undefined {}

/** How much of an answer may wait for the shelf. */
const mostPending = 1_000_000

/** Copies an answer that is made here to the shelf: what comes during a write goes together with the next. */
class Scribe {
  readonly #parts: SharedIdempotencyParts
  readonly #key: string
  readonly #settings: IdempotencySettings
  #pending: string[] = []
  #pendingCharacters = 0
  #characters = 0
  #writing: Promise<void> | undefined
  #hasRoom = true
  /** The shelf was away: the answer is kept only here. */
  #isAway = false
  /** The key does not belong to this answer any more. */
  isLost = false

  constructor(parts: SharedIdempotencyParts, key: string, settings: IdempotencySettings) {
    this.#parts = parts
    this.#key = key
    this.#settings = settings
  }

  /** Settles when the end is on the shelf: a caller that has read it all here finds it everywhere. */
  async record(answer: AnswerWriter, signal: AbortSignal, perform: Perform): Promise<void> {
    let hasBegun = false
    let told: Failure | undefined
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
      tell: (failure, text) => {
        told = failure
        if (text !== '') this.#add(answerPieces.text(text))
        answer.tell(failure, text)
      },
    }
    try {
      await perform(both, signal)
    } catch (thrown) {
      const failure = asFailure(thrown)
      this.#add(answerPieces.failure(failure, failure === told))
      await this.#end(failure, hasBegun)
      throw failure
    }
    await this.#end(undefined, hasBegun)
  }

  #add(piece: string): void {
    if (this.isLost || this.#isAway) return
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
    const { shelf, owner } = this.#parts
    try {
      // Writes of one turn of the event loop go together.
      await Promise.resolve()
      while (this.#pending.length > 0) {
        const pieces = this.#pending
        this.#pending = []
        this.#pendingCharacters = 0
        if (!(await shelf.append(this.#key, owner, pieces))) this.isLost = true
        if (this.isLost) this.#pending = []
      }
    } catch {
      this.#isAway = true
      this.#pending = []
    } finally {
      this.#writing = undefined
    }
  }

  async #end(failure: Failure | undefined, hasBegun: boolean): Promise<void> {
    const { shelf, owner } = this.#parts
    await this.#writing
    if (this.isLost) return
    const isKept = this.#hasRoom && isFinal(failure, hasBegun) && !this.#isAway
    const end = isKept ? { keepMs: this.#settings.ttlMs } : 'drop'
    try {
      if (!(await shelf.finish(this.#key, owner, end))) this.isLost = true
    } catch {
      this.#isAway = true
    }
  }

  /** It is too large to be kept, and followers elsewhere are told that it ends there. */
  #giveUp(): void {
    const { shelf, owner } = this.#parts
    this.isLost = true
    this.#pending = []
    shelf.finish(this.#key, owner, 'drop').catch(ignored)
  }
}
