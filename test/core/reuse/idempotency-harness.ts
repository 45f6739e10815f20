import { Failure } from '../../../src/core/model/failure.ts'
import { createIdempotency, type Idempotency } from '../../../src/core/reuse/idempotency.ts'
import type { AnswerFacts, AnswerReader, AnswerWriter } from '../../../src/core/reuse/idempotent-answer.ts'

export const made: AnswerFacts = {
  deployment: 'm@here',
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  dropped: new Set(['store']),
  converted: new Set(),
}

/** Work that the test carries out. */
type Work = PromiseWithResolvers<void> & { readonly answer: AnswerWriter; readonly signal: AbortSignal }

export type Asked = {
  readonly tenant?: string
  readonly dialect?: string
  readonly key?: string
  readonly request?: string
}

/** A caller who reads to the end. */
type Caller = {
  readonly abort: AbortController
  readonly reader: AnswerReader
  readonly work: Promise<void> | undefined
  /** All that was read; rejects as the reading did. */
  readonly text: Promise<string>
}

/** Callers, and the work that was begun for them, in its order. */
export type Bench = {
  readonly idempotency: Idempotency
  readonly works: Work[]
  readonly clock: { at: number }
  ask(asked?: Asked): Caller
}

/** Answers under keys, with a clock that the test sets. */
export function aBench(settings: Partial<Parameters<typeof createIdempotency>[0]> = {}): Bench {
  const clock = { at: 0 }
  const all = { ttlMs: 1000, maxEntries: 10, maxBytes: 1_000_000, ...settings }
  const idempotency = createIdempotency(all, { now: () => clock.at })
  const works: Work[] = []
  return {
    idempotency,
    works,
    clock,
    ask({ tenant = 't', dialect = 'chat', key = 'k', request = 'r' } = {}) {
      const abort = new AbortController()
      const keyed = { tenant, dialect, key, request: [request] }
      const { reader, work } = idempotency.answer(keyed, abort.signal, (answer, signal) => {
        const begun: Work = { ...Promise.withResolvers<void>(), answer, signal }
        // As a gateway's call does.
        signal.addEventListener('abort', () => begun.reject(signal.reason))
        works.push(begun)
        return begun.promise
      })
      const text = textOf(reader)
      text.catch(() => undefined)
      return { abort, reader, work, text }
    },
  }
}

async function textOf(reader: AnswerReader): Promise<string> {
  let text = ''
  for await (const piece of reader.texts()) text += piece
  return text
}

/** Ends a piece of work well. */
export function complete({ answer, resolve }: Work, text = 'answer'): void {
  answer.begin(made)
  answer.write(text)
  answer.end(made)
  resolve()
}

export const gone = new Failure('caller_left', 'Gone.')
