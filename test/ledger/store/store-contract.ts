import { describe, expect, test } from 'vitest'
import { batchOf } from '../../../src/ledger/store/batch.ts'
import { type CallsQuestion, type StoredCall, soughtAtOnce } from '../../../src/ledger/store/calls.ts'
import { dayMs, hourMs } from '../../../src/ledger/store/rollup.ts'
import { type CallSaid, callEntry } from '../lines.ts'
import { oddTextContract } from './odd-text-contract.ts'
import { linesOf, setUp, type TestDatabase } from './scene.ts'
import { searchContract } from './search-contract.ts'

/** The contract of every store. */
export function storeContract(name: string, make: () => Promise<TestDatabase>, skipped?: string): void {
  describe.skipIf(skipped)(`a store in ${name}`, () => {
    test('creates its schema once, and reports missing steps', async () => {
      await using database = await make()
      await using store = database.open()
      const due = await store.migrate(true)
      expect(due.length).toBeGreaterThan(0)
      expect(await store.migrate()).toEqual(due)
      expect(await store.migrate()).toEqual([])
      await using other = database.open()
      expect(await other.migrate(true)).toEqual([])
    })

    test('stores a batch with its position in the journal', async () => {
      await using scene = await setUp(make)
      expect(await scene.store.position('n')).toBeUndefined()
      await scene.write([['req_1', { at: 5, key: 'k' }]], { segment: 1, offset: 100 })
      expect(await scene.store.position('n')).toEqual({ segment: 1, offset: 100 })
      await scene.write([['req_2', { at: 6 }]], { segment: 2, offset: 7 })
      expect(await scene.store.position('n')).toEqual({ segment: 2, offset: 7 })
      expect(await scene.store.position('another')).toBeUndefined()
      expect(await scene.store.call('req_1')).toMatchObject({
        call: { requestId: 'req_1', key: 'k', attempts: [{ deployment: 'm@up' }] },
        startedEpochMs: 5,
        settled: undefined,
      })
      expect(await scene.store.call('req_3')).toBeUndefined()
    })

    test('counts the settled cost of a call that it stores after its settlement', async () => {
      await using scene = await setUp(make)
      const settled = { type: 'resolve', id: 'req_1', at: 9, actor: 'x', nanoUsd: 300, reason: '' } as const
      await scene.writeEntries([settled])
      await scene.write([['req_1', { costNanoUsd: 1000, uncertainNanoUsd: 400 }]])
      expect(await scene.sums({})).toMatchObject([{ requests: 1, cost: 300, uncertain: 0 }])
    })

    test('says which calls it has', async () => {
      await using scene = await setUp(make)
      expect(await scene.store.known([])).toEqual(new Set())
      await scene.write([
        ['req_1', { at: 1 }],
        ['req_2', { at: 5 * dayMs }],
      ])
      const asked = [
        { id: 'req_2', at: 5 * dayMs },
        { id: 'req_3', at: 1 },
        { id: 'req_1', at: 1 },
      ]
      expect(await scene.store.known(asked)).toEqual(new Set(['req_1', 'req_2']))
    })

    test('stores nothing of a batch that cannot be written', async () => {
      await using scene = await setUp(make)
      await scene.write([['req_1', {}]])
      const broken = batchOf([], { segment: 9, offset: 9 })
      const [call] = batchOf(linesOf([['req_2', {}]]), { segment: 9, offset: 9 }).calls
      const calls = [call, { ...call, id: 'req_3', line: null }] as unknown as typeof broken.calls
      await expect(scene.store.write('n', { ...broken, calls })).rejects.toThrow()
      expect(await scene.store.position('n')).toEqual({ segment: 1, offset: 1 })
      expect(await scene.ids({ filters: {}, limit: 10 })).toEqual(['req_1'])
      // It continues.
      await scene.write([['req_4', { at: 4 }]])
      expect(await scene.ids({ filters: {}, limit: 10 })).toEqual(['req_4', 'req_1'])
    })

    test('returns pages of calls, latest first, each call once', async () => {
      await using scene = await setUp(make)
      const said = Array.from({ length: 25 }, (_, n): [string, CallSaid] => [`req_${n}`, { at: n >> 2 }])
      await scene.write(said)
      const expected = said
        .toSorted(([a, { at: atA = 0 }], [b, { at: atB = 0 }]) => atB - atA || (a < b ? 1 : -1))
        .map(([id]) => id)
      const found: string[] = []
      for (let page: readonly StoredCall[] | undefined; page === undefined || page.length > 0; ) {
        const last = page?.at(-1)
        const before = last && { at: last.startedEpochMs, id: last.call.requestId }
        page = (await scene.store.calls({ filters: {}, limit: 4, before })).calls
        found.push(...page.map(({ call }) => call.requestId))
      }
      expect(found).toEqual(expected)
    })

    test('counts calls over a span, by the filters of a page', async () => {
      await using scene = await setUp(make)
      await scene.write([
        ['a', { at: 1 }],
        ['b', { at: 1999, status: 503, failure: { kind: 'timeout' } }],
        ['c', { at: 2000, status: 499, outcome: 'left' }],
        ['d', { at: 9000, provider: 'other' }],
      ])
      const question = { from: 0, to: 9000, stepMs: 1000, filters: {} }
      expect(await scene.store.counts(question)).toEqual({
        rows: [
          { at: 0, calls: 1, failed: 0 },
          { at: 1000, calls: 1, failed: 1 },
          { at: 2000, calls: 1, failed: 0 },
        ],
        isComplete: true,
      })
      const timedOut = await scene.store.counts({ ...question, filters: { failure: 'timeout' } })
      expect(timedOut.rows).toEqual([{ at: 1000, calls: 1, failed: 1 }])
      expect(
        (await scene.store.counts({ ...question, to: 9001, filters: { provider: 'other' } })).rows,
      ).toHaveLength(1)
    })

    test('reports how far it searched, if no index has all filters', async () => {
      await using scene = await setUp(make)
      const said = Array.from({ length: soughtAtOnce + 3 }, (_, n): [string, CallSaid] => [
        `r${String(n).padStart(6, '0')}`,
        { at: n, ...(n === 1 ? { deployment: 'seldom' } : {}) },
      ])
      await scene.write(said)
      const question = { limit: 10, filters: { deployment: 'seldom' } }
      const { calls, searchedTo: before } = await scene.store.calls(question)
      expect(calls).toEqual([])
      expect(before).toEqual({ at: 3, id: 'r000003' })
      const rest = await scene.store.calls({ ...question, before })
      expect(rest.calls.map(({ call }) => call.requestId)).toEqual(['r000001'])
      expect(rest.searchedTo).toBeUndefined()
    })

    test.for<[string, Omit<CallsQuestion, 'limit'>, readonly string[]]>([
      ['a key', { filters: { key: 'k1' } }, ['d', 'a']],
      ['a team', { filters: { team: 't' } }, ['b']],
      ['a model', { filters: { model: 'other' } }, ['c']],
      ['failures', { filters: { failed: true }, from: 1 }, ['d', 'b']],
      ['several', { filters: { failed: true, key: 'k1' } }, ['d']],
      ['a span', { filters: {}, from: 2, to: 4 }, ['c', 'b']],
      ['a status', { filters: { status: 429 } }, ['d']],
      ['an id', { filters: { id: 'b' } }, ['b']],
      ['a deployment', { filters: { deployment: 'm@down' } }, ['d']],
      ['a provider and a model', { filters: { provider: 'up', model: 'other' } }, ['c']],
      ['a failure', { filters: { failure: 'timeout' } }, ['b']],
      ['callers that left', { filters: { failure: 'left' } }, ['e']],
      ['a tag', { filters: { tags: ['eu'] } }, ['c', 'a']],
      ['several tags', { filters: { tags: ['batch', 'eu'], key: 'k2' } }, ['c']],
      ['a tag that no call has', { filters: { tags: ['e'] } }, []],
      ['cost', { filters: { leastNanoUsd: 1001, mostNanoUsd: 5000 } }, ['c']],
      ['duration', { filters: { leastMs: 120.5 } }, ['a']],
      ['a cost that is not known', { filters: { mostNanoUsd: 1000 } }, ['b', 'a', 'e']],
      ['a name that JSON escapes', { filters: { provider: 'a "b" \\ c' } }, ['e']],
      ['a name that is not ASCII', { filters: { deployment: 'modèle@süd' } }, ['e']],
    ])('filters calls by %s', async ([, question, ids]) => {
      await using scene = await setUp(make)
      await scene.write([
        ['a', { at: 1, key: 'k1', totalMs: 120.75, tags: ['eu'] }],
        ['b', { at: 2, key: 'k2', team: 't', status: 500, failure: { kind: 'timeout' } }],
        ['c', { at: 3, key: 'k2', model: 'other', costNanoUsd: 5000, tags: ['eu', 'batch'] }],
        ['d', { at: 4, key: 'k1', deployment: 'm@down', status: 429, costNanoUsd: null }],
        ['e', { at: 0, status: 499, outcome: 'left', provider: 'a "b" \\ c', deployment: 'modèle@süd' }],
      ])
      expect(await scene.ids({ limit: 10, ...question })).toEqual(ids)
    })

    oddTextContract(make)
    searchContract(make)
    usageContract(make)
    momentsContract(make)
  })
}

function usageContract(make: () => Promise<TestDatabase>): void {
  test('sums by the requested dimensions, over batches', async () => {
    await using scene = await setUp(make)
    await scene.write([
      ['a', { at: 1, key: 'k1', costNanoUsd: 5 }],
      ['b', { at: hourMs, key: 'k2', costNanoUsd: 70 }],
    ])
    await scene.write([['c', { at: 2, key: 'k1', costNanoUsd: 11, status: 503, outcome: 'failed' }]])
    expect(await scene.sums({ by: ['key'] })).toMatchObject([
      { names: ['k2'], requests: 1, errors: 0, cost: 70, prompt_tokens: 7 },
      { names: ['k1'], requests: 2, errors: 1, cost: 16, prompt_tokens: 14 },
    ])
    expect(await scene.sums({ by: ['hour'] })).toMatchObject([
      { names: ['0'], cost: 16 },
      { names: [String(hourMs)], cost: 70 },
    ])
    expect(await scene.sums({ by: [] })).toMatchObject([{ names: [], requests: 3, cost: 86 }])
    expect(await scene.sums({ by: ['key'], filters: { key: 'k1' } })).toMatchObject([{ names: ['k1'] }])
    expect(await scene.sums({ by: ['key'], limit: 1 })).toMatchObject([{ names: ['k2'] }])
    expect(await scene.sums({ by: ['key'], from: dayMs, to: 2 * dayMs })).toEqual([])
  })

  test('sums by the kind of failure', async () => {
    await using scene = await setUp(make)
    await scene.write([
      ['a', {}],
      ['b', { status: 503, outcome: 'failed', failure: { kind: 'timeout' } }],
      ['c', { status: 499, outcome: 'left' }],
      ['d', { status: 200, outcome: 'left' }],
    ])
    const sums = await scene.sums({ by: ['failure'] })
    expect(sums.map(({ names, requests, errors }) => [names[0], requests, errors]).toSorted()).toEqual([
      ['', 1, 0],
      ['left', 2, 0],
      ['timeout', 1, 1],
    ])
    expect(await scene.sums({ by: [], filters: { failure: 'timeout' } })).toMatchObject([{ requests: 1 }])
  })

  test('sums money beyond the precision of a floating-point number', async () => {
    await using scene = await setUp(make)
    await scene.write([
      ['a', { costNanoUsd: 4_000_000_000_000_001 }],
      ['b', { costNanoUsd: 5_000_000_000_000_000 }],
    ])
    expect(await scene.sums({ by: [] })).toMatchObject([{ cost: 9_000_000_000_000_001 }])
  })

  test('sums spans of whole days and single hours, each once', async () => {
    await using scene = await setUp(make)
    const hours = Array.from({ length: 24 * 5 }, (_, hour) => hour)
    await scene.write(hours.map((hour) => [`req_${hour}`, { at: hour * hourMs + 5 }]))
    for (const [from, to] of [
      [0, 120],
      [5, 7],
      [5, 30],
      [20, 100],
      [24, 48],
      [23, 49],
      [47, 48],
    ] as const) {
      const span = { from: from * hourMs, to: to * hourMs }
      expect(await scene.sums({ by: [], ...span })).toMatchObject([{ requests: to - from }])
      const byDay = await scene.sums({ by: ['day'], ...span })
      expect(byDay.reduce((sum, { requests }) => sum + (requests ?? 0), 0)).toBe(to - from)
    }
  })

  test('an invalid model name of a caller is not stored', async () => {
    await using scene = await setUp(make)
    await scene.write([
      ['a', { model: 'made-up', status: 404, outcome: 'failed' }],
      ['b', { model: 'm', status: 429, outcome: 'failed' }],
    ])
    expect((await scene.sums({ by: ['model'] })).flatMap(({ names }) => names).toSorted()).toEqual(['', 'm'])
  })
}

function momentsContract(make: () => Promise<TestDatabase>): void {
  test('returns the final cost of an uncertain call', async () => {
    await using scene = await setUp(make)
    await scene.write([['a', { uncertainNanoUsd: 7 }]])
    await scene.writeEntries([
      { type: 'resolve', id: 'a', at: 9, actor: 'operator', nanoUsd: 3, reason: 'the invoice' },
    ])
    const settled = { nanoUsd: 3, at: 9, actor: 'operator', reason: 'the invoice' }
    expect(await scene.store.call('a')).toMatchObject({ settled })
    expect((await scene.store.calls({ filters: {}, limit: 1 })).calls).toMatchObject([{ settled }])
  })

  test('sums the final cost of a call in its hour and day, once', async () => {
    await using scene = await setUp(make)
    const at = 2 * dayMs + 5 * hourMs
    await scene.write([
      ['a', { at, key: 'k', costNanoUsd: 1007, uncertainNanoUsd: 7 }],
      ['b', { at, key: 'k', costNanoUsd: 500 }],
    ])
    const entry = {
      type: 'resolve',
      id: 'a',
      at: at + dayMs,
      actor: 'operator',
      reason: 'the invoice',
    } as const
    for (let time = 0; time < 2; time++) await scene.writeEntries([{ ...entry, nanoUsd: 2000 }])
    await scene.writeEntries([{ ...entry, id: 'of nobody', nanoUsd: 9 }])
    for (const span of [{}, { from: at, to: at + hourMs }, { by: ['key'] as const }]) {
      expect(await scene.sums(span)).toMatchObject([{ requests: 2, cost: 2500, uncertain: 0 }])
    }
    expect(await scene.sums({ from: at + hourMs })).toMatchObject([{ cost: 0 }])
  })

  test('sums a call that becomes certain in the same batch', async () => {
    await using scene = await setUp(make)
    await scene.writeEntries([
      callEntry('a', { uncertainNanoUsd: 7 }),
      { type: 'resolve', id: 'a', at: 9, actor: 'operator', nanoUsd: 3, reason: 'the invoice' },
    ])
    expect(await scene.sums({})).toMatchObject([{ requests: 1, cost: 3, uncertain: 0 }])
  })

  test('removes the name of a forgotten end user from calls, and no other', async () => {
    await using scene = await setUp(make)
    await scene.write([
      ['a', { user: 'ann"s', costNanoUsd: 5 }],
      ['b', { user: 'bob', tags: ['"user":"ann\\"s"'] }],
    ])
    const subject = { kind: 'user', id: 'ann"s' }
    await scene.writeEntries([
      callEntry('c', { user: 'ann"s' }),
      {
        type: 'admin',
        id: 'e',
        at: 9,
        actor: 'admin',
        action: 'user.delete',
        subject,
        before: null,
        after: null,
      },
    ])
    const userOf = async (id: string) => (await scene.store.call(id))?.call.user
    expect([await userOf('a'), await userOf('b'), await userOf('c')]).toEqual([undefined, 'bob', undefined])
    expect(await scene.store.call('a')).toMatchObject({ call: { model: 'm', costNanoUsd: 5 } })
  })

  test('prunes older rows, and keeps the others', async () => {
    await using scene = await setUp(make)
    const days = Array.from({ length: 6 }, (_, day) => day)
    await scene.write(days.map((day) => [`req_${day}`, { at: day * dayMs + 1 }]))
    while (!(await scene.store.prune({ calls: 4 * dayMs, rollups: 2 * dayMs })));
    expect(await scene.ids({ filters: {}, limit: 10 })).toEqual(['req_5', 'req_4'])
    const left = await scene.sums({ by: ['day'], to: 10 * dayMs })
    expect(left.map(({ names }) => Number(names[0]) / dayMs)).toEqual([2, 3, 4, 5])
    const byHour = await scene.sums({ by: ['hour'], to: 10 * dayMs })
    expect(byHour).toHaveLength(4)
  })
}
