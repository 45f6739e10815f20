import pTimeout from 'p-timeout'
import type { CallSignal } from '../model/call-signal.ts'
import { Failure } from '../model/failure.ts'
import type { CallRecord } from '../model/record/record.ts'

/** An answer in its caller's own format: written once, and read from its beginning by any number of readers. */
export interface IdempotentAnswer extends AnswerWriter {
  /** A reader at the beginning. `signal` aborts, with a Failure, when it leaves. */
  join(signal: CallSignal): AnswerReader
  /** How many read, or wait to. */
  readonly readers: number
  /** True once there is something to show. */
  readonly hasBegun: boolean
  /** Ends it: whole, or with `failure`. */
  close(failure: Failure | undefined): void
}

export interface AnswerWriter {
  /** There is something to show: failures are reported within it from now on. */
  begin(made: AnswerFacts): void
  /** False: there is no room to keep it, and no further reader can join. */
  write(text: string): boolean
  /** Resolves when more may be written: at once if all of it is kept, else when the slowest reader has caught up. */
  drained(): Promise<void>
  /** The whole was written. */
  end(made: AnswerFacts): void
  /** The last text, which reports the failure that the answer ends with. */
  tell(failure: Failure, text: string): void
}

export interface AnswerReader {
  /**
   * Resolves when there is something to show. Rejects with the answer's failure, with the signal's reason, or, after
   * `withinMs`, with a `timeout`.
   */
  begun(withinMs?: number): Promise<void>
  /** The text, piece by piece to its end; call it once. Rejects as `begun` does. */
  texts(): AsyncGenerator<string, void, void>
  /** There is something to show. */
  readonly hasBegun: boolean
  /** How it was made, as far as is known. */
  readonly made: AnswerFacts
  /** The failure that the text reports, once it does. */
  readonly told: Failure | undefined
}

/** Facts for the records of all calls that get the answer. */
export type AnswerFacts = Pick<CallRecord, 'deployment' | 'usage' | 'dropped' | 'converted'>

export type IdempotentAnswerParts = {
  /** Counts more characters. False: they are too many to keep, and no further reader can join. */
  readonly keep: (characters: number) => boolean
  /** The last reader left, for this reason. */
  readonly left: (reason: unknown) => void
}

export function createIdempotentAnswer(parts: IdempotentAnswerParts): IdempotentAnswer {
  return new Shared(parts)
}

class Shared implements IdempotentAnswer {
  readonly #parts: IdempotentAnswerParts
  readonly #text = new Tail()
  readonly #places = new Set<Place>()
  #made: AnswerFacts = unmade
  #hasBegun = false
  #isClosed = false
  #isKept = true
  #failure: Failure | undefined
  #told: Failure | undefined
  #wakeWriter: (() => void) | undefined

  constructor(parts: IdempotentAnswerParts) {
    this.#parts = parts
  }

  get readers(): number {
    return this.#places.size
  }

  get hasBegun(): boolean {
    return this.#hasBegun
  }

  begin(made: AnswerFacts): void {
    this.#made = made
    this.#hasBegun = true
    this.#wakeReaders()
  }

  write(text: string): boolean {
    if (text === '') return this.#isKept
    this.#isKept = this.#isKept && this.#parts.keep(text.length)
    this.#text.add(text)
    this.#trim()
    this.#wakeReaders()
    return this.#isKept
  }

  async drained(): Promise<void> {
    while (this.#isAhead()) {
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve
      })
    }
  }

  end(made: AnswerFacts): void {
    this.#made = made
  }

  tell(failure: Failure, text: string): void {
    this.#told = failure
    this.write(text)
  }

  close(failure: Failure | undefined): void {
    this.#failure = failure
    this.#isClosed = true
    this.#wakeReaders()
  }

  join(signal: CallSignal): AnswerReader {
    const answer = this
    const place: Place = { at: 0, wake: undefined }
    this.#places.add(place)
    const leave = () => {
      this.#depart(place)
      if (this.#places.size === 0) this.#parts.left(signal.reason)
    }
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    const finish = () => signal.removeEventListener('abort', leave)
    return {
      begun: async (withinMs) => {
        try {
          await inTime(this.#begun(place, signal), withinMs)
        } catch (thrown) {
          // Readers that got the failure read no more: the writer must not wait for them.
          this.#depart(place)
          if (this.#places.size === 0 && !this.#isClosed && !signal.aborted) this.#parts.left(thrown)
          throw thrown
        }
      },
      texts: () => this.#texts(place, signal, finish),
      get hasBegun() {
        return answer.#hasBegun
      },
      get made() {
        return answer.#made
      },
      get told() {
        return answer.#told
      },
    }
  }

  async #begun(place: Place, signal: CallSignal): Promise<void> {
    while (!this.#hasBegun && !this.#isClosed && !signal.aborted) await news(place)
    signal.throwIfAborted()
    if (!this.#hasBegun && this.#failure !== undefined) throw this.#failure
  }

  async *#texts(place: Place, signal: CallSignal, finish: () => void): AsyncGenerator<string, void, void> {
    try {
      while (true) {
        signal.throwIfAborted()
        const { text, next } = this.#text.take(place.at)
        if (text !== '') {
          place.at = next
          this.#trim()
          yield text
        } else if (this.#isClosed) {
          if (this.#failure !== undefined) throw this.#failure
          return
        } else {
          await news(place)
        }
      }
    } finally {
      this.#depart(place)
      if (this.#isClosed) finish()
    }
  }

  #depart(place: Place): void {
    if (!this.#places.delete(place)) return
    this.#trim()
    place.wake?.()
  }

  #wakeReaders(): void {
    for (const place of this.#places) place.wake?.()
  }

  #isAhead(): boolean {
    return !this.#isKept && this.#places.size > 0 && this.#text.characters > stepCharacters
  }

  /** Of an answer that is not kept, text that all have read is dropped. */
  #trim(): void {
    if (this.#isKept) return
    this.#text.dropBefore(Math.min(this.#text.end, ...Array.from(this.#places, ({ at }) => at)))
    if (!this.#isAhead()) this.#wakeWriter?.()
  }
}

function inTime(begun: Promise<void>, withinMs: number | undefined): Promise<void> {
  if (withinMs === undefined) return begun
  const late = new Failure('timeout', 'The answer under this Idempotency-Key did not come in time.')
  return pTimeout(begun, { milliseconds: Math.max(withinMs, 1), message: late })
}

const unmade: AnswerFacts = {
  deployment: undefined,
  usage: undefined,
  dropped: new Set(),
  converted: new Set(),
}

/**
 * How much a reader takes at once, and how far the writer of an answer that is not kept may be ahead of the slowest
 * reader.
 */
const stepCharacters = 65_536

/** A reader's position. */
type Place = { at: number; wake: (() => void) | undefined }

function news(place: Place): Promise<void> {
  return new Promise((resolve) => {
    place.wake = resolve
  })
}

/** Pieces of text, numbered from the beginning; the first ones can be dropped. */
class Tail {
  readonly #pieces: string[] = []
  #dropped = 0
  #characters = 0

  get end(): number {
    return this.#dropped + this.#pieces.length
  }

  /** Of the pieces that are held. */
  get characters(): number {
    return this.#characters
  }

  add(piece: string): void {
    this.#pieces.push(piece)
    this.#characters += piece.length
  }

  /** Text from a piece on, and the number of the next piece; '' at the end. */
  take(at: number): { readonly text: string; readonly next: number } {
    let text = ''
    let next = at
    while (next < this.end && text.length < stepCharacters) text += this.#pieces[next++ - this.#dropped] ?? ''
    return { text, next }
  }

  dropBefore(at: number): void {
    for (const piece of this.#pieces.splice(0, Math.max(0, at - this.#dropped))) {
      this.#characters -= piece.length
      this.#dropped++
    }
  }
}
