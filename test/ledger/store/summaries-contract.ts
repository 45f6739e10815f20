import { describe, expect, test } from 'vitest'
import { decodeLine } from '../../../src/core/model/record/line-writer.ts'
import { batchOf } from '../../../src/ledger/store/batch.ts'
import { dayMs, hourMs } from '../../../src/ledger/store/rollup.ts'
import type { UsageQuestion } from '../../../src/ledger/store/usage.ts'
import { type CallSaid, callEntry } from '../lines.ts'
import type { TestDatabase } from './scene.ts'

/** `run` writes like an older version, which does not know summaries. */
export type RawDatabase = TestDatabase & { run(text: string): Promise<void> }

/** Reports are the same with and without summaries, for any order of writes. */
export function summariesContract(name: string, make: () => Promise<RawDatabase>, skipped?: string): void {
  describe.skipIf(skipped)(`summaries in ${name}`, () => {
    test('do not change reports', async () => {
      await using scene = await setUp(make)
      await scene.write(callsOf(0, 70))
      const before = await scene.reports()
      expect(await scene.rollUp(70 * dayMs)).toBeGreaterThan(10)
      expect(await scene.reports()).toEqual(before)
      // Reports read the summaries: they stay the same without the source rows.
      await scene.run('delete from rollups_hour')
      await scene.run(`delete from rollups_day where at < ${56 * dayMs}`)
      const [whole] = await scene.ask({ by: ['key'], from: 0, to: 70 * dayMs })
      expect(whole?.sums[0]).toBeGreaterThan(0)
      expect(await scene.ask({ by: ['key', 'model'], from: 0, to: 56 * dayMs })).toHaveLength(6)
    })

    test('include late calls of their time, and costs that become certain', async () => {
      await using plain = await setUp(make)
      await using scene = await setUp(make)
      for (const each of [plain, scene]) await each.write(callsOf(0, 60))
      await scene.rollUp(60 * dayMs)
      for (const each of [plain, scene]) {
        await each.write([...callsOf(3, 5, 'late'), ['unsure', { at: 9 * dayMs, uncertainNanoUsd: 7 }]])
        await each.settle('unsure', 3)
        await each.write(callsOf(60, 63))
      }
      expect(await scene.reports()).toEqual(await plain.reports())
      await scene.rollUp(63 * dayMs)
      expect(await scene.reports()).toEqual(await plain.reports())
    })

    test('are computed again after an older version has written', async () => {
      await using scene = await setUp(make)
      await scene.write(callsOf(0, 60))
      await scene.rollUp(60 * dayMs)
      for (const table of ['rollups_hour', 'rollups_day'])
        await scene.run(
          `update ${table} set cost = cost + 5 where at >= ${40 * dayMs} and at < ${41 * dayMs}`,
        )
      const sumOf = async () => (await scene.ask({ by: [], from: 0, to: 60 * dayMs }))[0]?.sums[6] ?? 0
      const stale = await sumOf()
      await scene.store.checkSummaries()
      const mended = await sumOf()
      expect(mended).toBeGreaterThan(stale)
      await scene.rollUp(60 * dayMs)
      expect(await sumOf()).toBe(mended)
      await scene.store.checkSummaries()
      expect(await scene.store.rollUp(60 * dayMs)).toBe(true)
    })

    test('are pruned with their source rows', async () => {
      await using scene = await setUp(make)
      await scene.write(callsOf(0, 60))
      await scene.rollUp(60 * dayMs)
      await scene.store.prune({ calls: 0, rollups: 30 * dayMs })
      const days = await scene.ask({ by: ['day'], from: 30 * dayMs, to: 60 * dayMs })
      expect(days).toHaveLength(30)
      expect((await scene.ask({ by: [], from: 0, to: 20 * dayMs }))[0]?.sums[0]).toBe(0)
    })

    test('of no calls are empty', async () => {
      await using scene = await setUp(make)
      expect(await scene.rollUp(20_000 * dayMs)).toBeLessThan(5)
      await scene.store.checkSummaries()
      expect(await scene.ask({ by: ['key'] })).toEqual([])
      // A wrong clock does not cause many steps for years without calls either.
      await using other = await setUp(make)
      await other.write([...callsOf(0, 1), ...callsOf(19_990, 19_991)])
      expect(await other.rollUp(20_000 * dayMs)).toBeLessThan(30)
    })
  })
}

/** Two calls a day, at varying hours, with three keys and two models. */
function callsOf(fromDay: number, toDay: number, prefix = 'req'): readonly (readonly [string, CallSaid])[] {
  return Array.from({ length: 2 * (toDay - fromDay) }, (_, nth) => {
    const day = fromDay + Math.floor(nth / 2)
    const isFailed = nth % 7 === 0
    const said = {
      ...{
        at: day * dayMs + ((day * 5 + nth * 11) % 24) * hourMs + nth,
        key: `k${nth % 3}`,
        team: `t${nth % 2}`,
      },
      ...{ model: `m${nth % 2}`, provider: `p${nth % 4}`, costNanoUsd: nth + 1 },
      ...(isFailed ? { status: 504, outcome: 'failed', failure: { kind: 'timeout' } } : {}),
    } as CallSaid
    return [`${prefix}_${fromDay}_${nth}`, said] as const
  })
}

const spans = [
  [0, 70],
  [0.5, 69.25],
  [7, 35],
  [13.3, 13.4],
  [27.9, 62.1],
] as const

const asked: readonly Pick<UsageQuestion, 'by' | 'filters'>[] = [
  { by: [], filters: {} },
  { by: ['hour'], filters: {} },
  { by: ['day'], filters: {} },
  { by: ['key'], filters: {} },
  { by: ['failure'], filters: {} },
  { by: ['day', 'model'], filters: {} },
  { by: ['key', 'model'], filters: {} },
  { by: ['model'], filters: { key: 'k1' } },
  { by: ['hour'], filters: { key: 'k1' } },
  { by: ['key'], filters: { key: 'k1' } },
  { by: ['day'], filters: { key: 'k1', provider: 'p1' } },
  { by: ['key', 'team', 'model', 'provider', 'deployment', 'tags', 'failure'], filters: {} },
]

async function setUp(make: () => Promise<RawDatabase>) {
  const database = await make()
  const store = database.open()
  await store.migrate()
  const ask = (question: Partial<UsageQuestion>) =>
    store.usage({
      ...{ from: 0, to: 70 * dayMs, by: [], filters: {}, withHistograms: true, limit: 10_000 },
      ...question,
    })
  const to = { segment: 1, offset: 1 }
  const take = (text: string) => store.write('n', batchOf([{ text, end: to }], to))
  return {
    store,
    ask,
    run: (text: string) => database.run(text),
    async write(said: readonly (readonly [string, CallSaid])[]) {
      const lines = said.map(([id, call]) => {
        const { at, line } = callEntry(id, call)
        return { text: `{"type":"call","at":${at},${decodeLine(line)}}`, end: to }
      })
      await store.write('n', batchOf(lines, to))
    },
    settle: (id: string, nanoUsd: number) =>
      take(JSON.stringify({ type: 'resolve', id, at: 1, actor: 'operator', nanoUsd, reason: 'the invoice' })),
    /** The number of steps. */
    async rollUp(before: number) {
      let steps = 0
      while (!(await store.rollUp(before))) steps++
      return steps
    },
    async reports() {
      const rows = []
      for (const [from, until] of spans) {
        for (const question of asked) {
          const found = await ask({ ...question, from: from * dayMs, to: until * dayMs })
          rows.push({
            from,
            ...question,
            rows: found.toSorted((one, other) => (`${one.names}` < `${other.names}` ? -1 : 1)),
          })
        }
      }
      return rows
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}
