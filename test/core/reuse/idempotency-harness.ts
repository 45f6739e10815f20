import { Failure } from '../../../src/core/model/failure.ts'
import type { SharedCache } from '../../../src/core/model/shared/cache.ts'
import {
  createIdempotency,
  type Idempotency,
  type IdempotencySettings,
  type Perform,
} from '../../../src/core/reuse/idempotency.ts'
import type { AnswerFacts, AnswerReader, AnswerWriter } from '../../../src/core/reuse/idempotent-answer.ts'
import { createSharedIdempotency } from '../../../src/core/reuse/shared-idempotency.ts'
import { createMemoryCache } from '../../../src/state/memory-cache.ts'

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

/** A caller that reads to the end. */
type Caller = {
  readonly abort: AbortController
  readonly reader: AnswerReader
  readonly work: Promise<void> | undefined
  /** Everything that was read; rejects as reading did. */
  readonly text: Promise<string>
}

/** Callers, and the work started for them, in order. */
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

/** Processes with one shared cache, each with its work in order. */
export type Fleet = {
  readonly cache: SharedCache
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
  around: (cache: SharedCache) => SharedCache = (cache) => cache,
): Fleet {
  const clock = { at: 0 }
  const now = () => clock.at
  const cache = around(createMemoryCache({ now }))
  const nodes = Array.from({ length: count }, (_, at) => {
    const owner = `node-${at}`
    const parts = { cache, owner, makingMs: 60_000 }
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
  return { cache, clock, nodes }
}

/** Work that the test controls; when cancelled, it ends like a call of the gateway. */
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

/** Completes a piece of work. */
export function complete({ answer, resolve }: Work, text = 'answer'): void {
  answer.begin(made)
  answer.write(text)
  answer.end(made)
  resolve()
}

export const gone = new Failure('caller_left', 'Gone.')
