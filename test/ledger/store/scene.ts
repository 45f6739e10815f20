import type { JournalEntry } from '../../../src/core/model/journal.ts'
import { decodeLine } from '../../../src/core/model/record/line-writer.ts'
import { batchOf } from '../../../src/ledger/store/batch.ts'
import type { CallsQuestion } from '../../../src/ledger/store/calls.ts'
import { type counts, dayMs, measures } from '../../../src/ledger/store/rollup.ts'
import type { Store } from '../../../src/ledger/store/store.ts'
import type { UsageQuestion } from '../../../src/ledger/store/usage.ts'
import { type CallSaid, callEntry } from '../lines.ts'

/** An empty database of its own; it may be opened several times. */
export type TestDatabase = AsyncDisposable & { open(): Store }

type Said = readonly (readonly [string, CallSaid])[]

/** A store with its schema, and what tests do with it. */
export async function setUp(make: () => Promise<TestDatabase>) {
  const database = await make()
  const store = database.open()
  await store.migrate()
  const write = (said: Said, to = { segment: 1, offset: 1 }) =>
    store.write('n', { ...batchOf(linesOf(said), to), to })
  return {
    store,
    write,
    writeEntries: (entries: readonly JournalEntry[]) =>
      store.write('n', batchOf(entries.map(lineOf), { segment: 1, offset: 1 })),
    ids: async (question: CallsQuestion) =>
      (await store.calls(question)).calls.map(({ call }) => call.requestId),
    async sums(question: Partial<UsageQuestion>) {
      const rows = await store.usage({
        from: 0,
        to: 10 * dayMs,
        by: [],
        filters: {},
        limit: 100,
        ...question,
        withHistograms: true,
      })
      const shown = [
        'requests',
        'errors',
        'cost',
        'prompt_tokens',
        'uncertain',
      ] satisfies (typeof counts)[number][]
      return rows.map(({ names, sums }) => ({
        names,
        ...(Object.fromEntries(shown.map((name) => [name, sums[measures.indexOf(name)]])) as Record<
          (typeof shown)[number],
          number
        >),
      }))
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}

export function linesOf(said: Said) {
  return said.map(([id, call]) => lineOf(callEntry(id, call)))
}

function lineOf(entry: JournalEntry) {
  const end = { segment: 1, offset: 1 }
  if (entry.type !== 'call') return { text: JSON.stringify(entry), end }
  return { text: `{"type":"call","at":${entry.at},${decodeLine(entry.line)}}`, end }
}
