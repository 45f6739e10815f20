import pTimeout from 'p-timeout'
import type { CallSignal } from '../model/call-signal.ts'
import { Failure } from '../model/failure.ts'
import type { CallRecord } from '../model/record/record.ts'

/** An answer in its caller's own format: written once, and read from the beginning by any number of readers. */
export interface IdempotentAnswer extends AnswerWriter {
  /** Adds a reader at the beginning. `signal` aborts, with a Failure, when the reader leaves. */
  join(signal: CallSignal): AnswerReader
  /** The number of current readers, including those that wait for the beginning. */
  readonly readers: number
  /** True once the answer has begun: there is something to show. */
  readonly hasBegun: boolean
  /** Ends it: as complete, or with `failure`. */
  close(failure: Failure | undefined): void
}

export interface AnswerWriter {
  /** The answer has begun: failures are reported within it from now on. */
  begin(made: AnswerFacts): void
  /** False: there is no room to keep the answer, and no further reader can join. */
  write(text: string): boolean
  /** Resolves when more may be written: at once if the answer is kept, else when the slowest reader has caught up. */
  drained(): Promise<void>
  /** All of it was written. */
  end(made: AnswerFacts): void
  /** Writes the last text, which reports the failure that the answer ends with. */
  reportFailure(failure: Failure, text: string): void
}

export interface AnswerReader {
  /**
   * Resolves when the answer has begun. Rejects with the answer's failure, with the signal's reason, or, after
   * `withinMs`, with a `timeout`.
   */
  begun(withinMs?: number): Promise<void>
  /** The text in pieces, to its end; to be called once. Rejects like `begun`. */
  texts(): AsyncGenerator<string, void, void>
  /** The answer has begun. */
  readonly hasBegun: boolean
  /** How it was made, as far as known. */
  readonly made: AnswerFacts
  /** The failure that the text reports, if it does by now. */
  readonly reportedFailure: Failure | undefined
}

/** Facts for the records of all calls that get the answer. */
export type AnswerFacts = Pick<CallRecord, 'deployment' | 'usage' | 'dropped' | 'converted'>

export type IdempotentAnswerParts = {
  /** Counts further characters. False: there are too many to keep, and no further reader can join. */
  readonly keep: (characters: number) => boolean
  /** The last reader abandoned, for this reason. */
  readonly abandoned: (reason: unknown) => void
}

export function createIdempotentAnswer(parts: IdempotentAnswerParts): IdempotentAnswer {
  return new Shared(parts)
}

class Shared implements IdempotentAnswer {
  readonly #parts: IdempotentAnswerParts
  readonly #text = new Tail()
  readonly #readers = new Set<Reader>()
  #made: AnswerFacts = unmade
  #hasBegun = false
  #isClosed = false
  #isKept = true
  #failure: Failure | undefined
  #reportedFailure: Failure | undefined
  #wakeWriter: (() => void) | undefined

  constructor(parts: IdempotentAnswerParts) {
    this.#parts = parts
  }

  get readers(): number {
    return this.#readers.size
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

  reportFailure(failure: Failure, text: string): void {
    this.#reportedFailure = failure
    this.write(text)
  }

  close(failure: Failure | undefined): void {
    this.#failure = failure
    this.#isClosed = true
    this.#wakeReaders()
  }

  join(signal: CallSignal): AnswerReader {
    const answer = this
    const reader: Reader = { at: 0, wake: undefined }
    this.#readers.add(reader)
    const leave = () => {
      this.#removeReader(reader)
      if (this.#readers.size === 0) this.#parts.abandoned(signal.reason)
    }
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    const finish = () => signal.removeEventListener('abort', leave)
    return {
      begun: async (withinMs) => {
        try {
          await inTime(this.#begun(reader, signal), withinMs)
        } catch (thrown) {
          // Such a reader reads no further: the writer must not wait for it.
          this.#removeReader(reader)
          if (this.#readers.size === 0 && !this.#isClosed && !signal.aborted) this.#parts.abandoned(thrown)
          throw thrown
        }
      },
      texts: () => this.#texts(reader, signal, finish),
      get hasBegun() {
        return answer.#hasBegun
      },
      get made() {
        return answer.#made
      },
      get reportedFailure() {
        return answer.#reportedFailure
      },
    }
  }

  async #begun(reader: Reader, signal: CallSignal): Promise<void> {
    while (!this.#hasBegun && !this.#isClosed && !signal.aborted) await changed(reader)
    signal.throwIfAborted()
    if (!this.#hasBegun && this.#failure !== undefined) throw this.#failure
  }

  async *#texts(reader: Reader, signal: CallSignal, finish: () => void): AsyncGenerator<string, void, void> {
    try {
      while (true) {
        signal.throwIfAborted()
        const { text, next } = this.#text.take(reader.at)
        if (text !== '') {
          reader.at = next
          this.#trim()
          yield text
        } else if (this.#isClosed) {
          if (this.#failure !== undefined) throw this.#failure
          return
        } else {
          await changed(reader)
        }
      }
    } finally {
      this.#removeReader(reader)
      if (this.#isClosed) finish()
    }
  }

  #removeReader(reader: Reader): void {
    if (!this.#readers.delete(reader)) return
    this.#trim()
    reader.wake?.()
  }

  #wakeReaders(): void {
    for (const reader of this.#readers) reader.wake?.()
  }

  #isAhead(): boolean {
    return !this.#isKept && this.#readers.size > 0 && this.#text.characters > stepCharacters
  }

  /** Drops text that all readers have read, if the answer is not kept. */
  #trim(): void {
    if (this.#isKept) return
    this.#text.dropBefore(Math.min(this.#text.end, ...Array.from(this.#readers, ({ at }) => at)))
    if (!this.#isAhead()) this.#wakeWriter?.()
  }
}

function inTime(begun: Promise<void>, withinMs: number | undefined): Promise<void> {
  if (withinMs === undefined) return begun
  const late = new Failure('timeout', 'The answer under this Idempotency-Key did not arrive in time.')
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
type Reader = { at: number; wake: (() => void) | undefined }

function changed(reader: Reader): Promise<void> {
  return new Promise((resolve) => {
    reader.wake = resolve
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

  /** The length of the pieces that are held. */
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
