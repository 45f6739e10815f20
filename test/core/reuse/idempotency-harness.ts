import { Failure } from '../../../src/core/model/failure.ts'
import type { SharedShelf } from '../../../src/core/model/shared/shelf.ts'
import {
  createIdempotency,
  type Idempotency,
  type IdempotencySettings,
  type Perform,
} from '../../../src/core/reuse/idempotency.ts'
import type { AnswerFacts, AnswerReader, AnswerWriter } from '../../../src/core/reuse/idempotent-answer.ts'
import { createSharedIdempotency } from '../../../src/core/reuse/shared-idempotency.ts'
import { createMemoryShelf } from '../../../src/state/memory-shelf.ts'

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
export function aBench(settings: Partial<IdempotencySettings> = {}): Bench {
  const clock = { at: 0 }
  const idempotency = createIdempotency({ ...usual, ...settings }, { now: () => clock.at })
  const works: Work[] = []
  return {
    idempotency,
    works,
    clock,
    ask({ tenant = 't', dialect = 'chat', key = 'k', request = 'r' } = {}) {
      const abort = new AbortController()
      const keyed = { tenant, dialect, key, request: [request] }
      const { reader, work } = idempotency.answer(keyed, abort.signal, performedBy(works))
      const text = textOf(reader)
      text.catch(() => undefined)
      return { abort, reader, work, text }
    },
  }
}

const usual: IdempotencySettings = { ttlMs: 1000, maxEntries: 10, maxBytes: 1_000_000 }

/** Processes over one shelf, each with its work in its order. */
export type Fleet = {
  readonly shelf: SharedShelf
  readonly clock: { at: number }
  readonly nodes: readonly {
    readonly owner: string
    readonly idempotency: Idempotency
    readonly works: Work[]
    ask(asked?: Asked): Promise<Caller>
  }[]
}

export function aFleet(
  count: number,
  settings: Partial<IdempotencySettings> = {},
  around: (shelf: SharedShelf) => SharedShelf = (shelf) => shelf,
): Fleet {
  const clock = { at: 0 }
  const now = () => clock.at
  const shelf = around(createMemoryShelf({ now }))
  const nodes = Array.from({ length: count }, (_, at) => {
    const owner = `node-${at}`
    const parts = { shelf, owner, makingMs: 60_000 }
    const idempotency = createSharedIdempotency({ ...usual, ...settings }, { now }, parts)
    const works: Work[] = []
    return {
      owner,
      idempotency,
      works,
      async ask({ tenant = 't', dialect = 'chat', key = 'k', request = 'r' }: Asked = {}) {
        const abort = new AbortController()
        const keyed = { tenant, dialect, key, request: [request] }
        const { reader, work } = await idempotency.answer(keyed, abort.signal, performedBy(works))
        const text = textOf(reader)
        text.catch(() => undefined)
        return { abort, reader, work, text }
      },
    }
  })
  return { shelf, clock, nodes }
}

/** Work that waits for the test, and ends as a gateway's call does when it is given up. */
function performedBy(works: Work[]): Perform {
  return (answer, signal) => {
    const begun: Work = { ...Promise.withResolvers<void>(), answer, signal }
    signal.addEventListener('abort', () => begun.reject(signal.reason))
    works.push(begun)
    return begun.promise
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
