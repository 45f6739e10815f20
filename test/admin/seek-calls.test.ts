import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seekCalls } from '../../src/admin/calls/seek-calls.ts'
import { decodeLine } from '../../src/core/model/record/line-writer.ts'
import { batchOf } from '../../src/ledger/store/batch.ts'
import type { CallFilters } from '../../src/ledger/store/call-filters.ts'
import { type CallPlace, soughtAtOnce } from '../../src/ledger/store/calls.ts'
import { dayMs } from '../../src/ledger/store/rollup.ts'
import { openSqliteStore } from '../../src/ledger/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/ledger/store/store.ts'
import { makeDirectory } from '../ledger/directory.ts'
import { callEntry } from '../ledger/lines.ts'

const days = 10
const count = 3 * soughtAtOnce

/** Two keys with a model each; one call of a seldom deployment on the second day, one dear call on the first. */
const said = Array.from({ length: count }, (_, nth) => ({
  ...{
    at: Math.floor((nth * days * dayMs) / count),
    key: `k${nth % 2}`,
    model: `m${nth % 2}`,
    costNanoUsd: 5,
  },
  ...(nth === Math.floor(count * 0.15) ? { provider: 'rare', deployment: 'm@rare' } : {}),
  ...(nth === 3 ? { costNanoUsd: 9e9 } : {}),
}))

let directory: Awaited<ReturnType<typeof makeDirectory>>
let store: Store

beforeAll(async () => {
  directory = await makeDirectory()
  store = openSqliteStore(join(directory.path, 'ledger.db'))
  await store.migrate()
  const end = { segment: 1, offset: 1 }
  const lines = said.map((call, nth) => {
    const { at, line } = callEntry(idOf(nth), call)
    return { text: `{"type":"call","at":${at},${decodeLine(line)}}`, end }
  })
  await store.write('n', batchOf(lines, end))
})

afterAll(async () => {
  await store[Symbol.asyncDispose]()
  await directory[Symbol.asyncDispose]()
})

describe('calls that no index finds', () => {
  test('are all found, once, by who follows the pages to their end', async () => {
    expect(await all({ leastNanoUsd: 1e9 })).toEqual([idOf(3)])
    expect(await all({ provider: 'rare' })).toEqual([idOf(count * 0.15)])
    expect(await all({ deployment: 'm@rare', key: 'k0' })).toEqual([idOf(count * 0.15)])
    expect(await all({ key: 'k1', leastNanoUsd: 1e9 })).toEqual([idOf(3)])
    expect(await all({ status: 299 })).toEqual([])
  })

  test('are not sought where the sums have none of their names', async () => {
    for (const filters of [
      { key: 'k0', model: 'm1' },
      { provider: 'none' },
      { deployment: 'none', team: 't' },
    ]) {
      const { looks, calls, searchedTo } = await seek({ filters })
      expect({ looks, calls, searchedTo }).toEqual({
        looks: expect.any(Number),
        calls: [],
        searchedTo: undefined,
      })
      expect(looks).toBeLessThanOrEqual(2)
    }
  })

  test('are sought from the last day on that has one', async () => {
    const { looks, calls } = await seek({ filters: { provider: 'rare' }, limit: 1 })
    expect(calls.map(({ call }) => call.requestId)).toEqual([idOf(count * 0.15)])
    expect(looks).toBe(2)
  })

  test('are not skipped where calls are kept for longer than sums', async () => {
    const other = await makeDirectory()
    await using kept = openSqliteStore(join(other.path, 'ledger.db'))
    await kept.migrate()
    const end = { segment: 1, offset: 1 }
    const lines = said.map((call, nth) => {
      const { at, line } = callEntry(idOf(nth), call)
      return { text: `{"type":"call","at":${at},${decodeLine(line)}}`, end }
    })
    await kept.write('n', batchOf(lines, end))
    await kept.prune({ calls: 0, rollups: 5 * dayMs })
    expect(await all({ provider: 'rare' }, kept)).toEqual([idOf(count * 0.15)])
  })
})

function idOf(nth: number): string {
  return `req_${String(Math.floor(nth)).padStart(8, '0')}`
}

type Seeking = {
  readonly filters: CallFilters
  readonly before?: CallPlace | undefined
  readonly limit?: number
  /** How long each look takes. */
  readonly lookMs?: number
}

/** With how many times the store looked for calls. */
async function seek({ filters, before, limit = 2, lookMs = 0 }: Seeking, from: Store = store) {
  let looks = 0
  const reader = new Proxy(from, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (name === 'calls') looks++
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const found = await seekCalls(
    { filters, before, limit },
    { reader, now: () => days * dayMs + looks * lookMs },
  )
  return { ...found, looks }
}

async function all(filters: CallFilters, from: Store = store): Promise<readonly string[]> {
  const ids: string[] = []
  let before: CallPlace | undefined
  for (;;) {
    const { calls, searchedTo } = await seek({ filters, before, lookMs: 100 }, from)
    ids.push(...calls.map(({ call }) => call.requestId))
    const last = calls.at(-1)
    before = calls.length === 2 && last ? { at: last.startedEpochMs, id: last.call.requestId } : searchedTo
    if (before === undefined) return ids
  }
}
