import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import type { SharedCache } from '../../../src/core/model/shared/cache.ts'
import { aFleet, complete, type Fleet, gone, made } from './idempotency-harness.ts'

describe('a request that is repeated with its key at another process', () => {
  test('gets the kept answer and its facts', async () => {
    const [here, there] = nodesOf(aFleet(2))
    const first = await here.ask()
    complete(here.works[0]!)
    expect(await first.text).toBe('answer')
    await first.work
    const second = await there.ask()
    expect(await second.text).toBe('answer')
    expect(second.work).toBeUndefined()
    expect(second.reader.made).toEqual(made)
    expect(there.works).toHaveLength(0)
    expect(there.idempotency.counts()).toEqual({ inFlight: 0, kept: 0, bytes: 0 })
  })

  test('follows an answer in progress, from its beginning', async () => {
    const [here, there] = nodesOf(aFleet(2))
    const first = await here.ask()
    const [work] = here.works
    work?.answer.begin(made)
    work?.answer.write('one\n')
    const second = await there.ask()
    await setImmediate()
    expect(second.reader.hasBegun).toBe(true)
    work?.answer.write('two \u{1f600}')
    work?.answer.end(made)
    work?.resolve()
    expect(await Promise.all([first.text, second.text])).toEqual(['one\ntwo \u{1f600}', 'one\ntwo \u{1f600}'])
    expect(there.works).toHaveLength(0)
  })

  test('is executed once, for any number of processes at once', async () => {
    const fleet = aFleet(3)
    const callers = await Promise.all([...fleet.nodes, ...fleet.nodes].map((node) => node.ask()))
    const works = fleet.nodes.flatMap((node) => node.works)
    expect(works).toHaveLength(1)
    expect(callers.filter(({ work }) => work !== undefined)).toHaveLength(1)
    complete(works[0]!)
    for (const { text } of callers) expect(await text).toBe('answer')
  })

  test('is refused if the request differs, and executed for another tenant', async () => {
    const [here, there] = nodesOf(aFleet(2))
    await here.ask()
    await expect(there.ask({ request: 'other' })).rejects.toMatchObject({ kind: 'key_reused', status: 422 })
    await there.ask({ tenant: 'u', request: 'other' })
    expect(there.works).toHaveLength(1)
  })

  test('gets the answer that was completed after its first caller left', async () => {
    const [here, there] = nodesOf(aFleet(2))
    const first = await here.ask()
    first.abort.abort(gone)
    complete(here.works[0]!)
    await first.work
    expect(await (await there.ask()).text).toBe('answer')
  })

  test('is executed again once the answer has expired', async () => {
    const { clock, nodes } = aFleet(2, { ttlMs: 1000 })
    const [here, there] = nodesOf({ nodes })
    const first = await here.ask()
    complete(here.works[0]!)
    await first.work
    clock.at = 1000
    await there.ask()
    await here.ask()
    expect([here.works.length, there.works.length]).toEqual([1, 1])
  })

  test('leaves no more answers in the shared cache than the limit', async () => {
    const [here, there] = nodesOf(aFleet(2, { maxEntries: 2 }))
    for (const key of ['a', 'b', 'c']) {
      const { work } = await here.ask({ key })
      complete(here.works.at(-1)!, key)
      await work
    }
    expect(await (await there.ask({ key: 'b' })).text).toBe('b')
    await there.ask({ key: 'a' })
    expect(there.works).toHaveLength(1)
  })
})

describe('an answer that failed', () => {
  test('because an upstream rejected the request is kept for all', async () => {
    const [here, there] = nodesOf(aFleet(2))
    const failure = new Failure('rejected', 'No.', {
      param: 'x',
      code: 'odd',
      shown: { status: 422, type: 'odd_error' },
      headers: { 'x-should-retry': 'false' },
      extra: { hint: 'none' },
      operatorNote: 'for operators',
    })
    const first = await here.ask()
    here.works[0]?.reject(failure)
    await expect(first.text).rejects.toBe(failure)
    const told: unknown = await (await there.ask()).text.catch((thrown: unknown) => thrown)
    expect(told).toMatchObject({
      ...{ kind: 'rejected', message: 'No.', param: 'x', code: 'odd', status: 422, type: 'odd_error' },
      ...{ headers: failure.headers, extra: { hint: 'none' }, operatorNote: undefined },
    })
    expect(there.works).toHaveLength(0)
  })

  test('otherwise is reported to its followers, and frees its key', async () => {
    const [here, there] = nodesOf(aFleet(2))
    const first = await here.ask()
    const second = await there.ask()
    here.works[0]?.answer.begin(made)
    here.works[0]?.answer.write('half')
    const cut = new Failure('interrupted', 'Cut.')
    here.works[0]?.answer.reportFailure(cut, ' cut')
    here.works[0]?.reject(cut)
    await expect(first.text).rejects.toMatchObject({ kind: 'interrupted', message: 'Cut.' })
    await expect(second.text).rejects.toMatchObject({ kind: 'interrupted', message: 'Cut.' })
    expect(second.reader.reportedFailure).toMatchObject({ message: 'Cut.' })
    await there.ask({ request: 'other' })
    expect(there.works).toHaveLength(1)
  })

  test.for([false, true])(
    'because its process died is reported, and may be repeated: begun %s',
    async (isBegun) => {
      const { cache, nodes } = aFleet(2)
      const [here, there] = nodesOf({ nodes })
      await here.ask()
      const second = await there.ask()
      if (isBegun) {
        here.works[0]?.answer.begin(made)
        here.works[0]?.answer.write('half')
        await setImmediate()
        expect(second.reader.hasBegun).toBe(true)
      }
      await cache.abandon(here.owner)
      await expect(second.text).rejects.toMatchObject({ kind: 'interrupted' })
      expect(second.reader.reportedFailure).toBeUndefined()
      const third = await there.ask()
      complete(there.works[0]!, 'again')
      expect(await third.text).toBe('again')
      // A process wrongly taken for dead keeps nothing that another has made since.
      complete(here.works[0]!, 'late')
      await here.idempotency.ended()
      expect(await (await here.ask()).text).toBe('again')
    },
  )

  test('because it is too large continues for its own callers, and fails elsewhere', async () => {
    const [here, there] = nodesOf(aFleet(2, { maxBytes: 10_000 }))
    const first = await here.ask()
    const second = await there.ask()
    complete(here.works[0]!, 'x'.repeat(20_000))
    expect(await first.text).toHaveLength(20_000)
    await expect(second.text).rejects.toMatchObject({ kind: 'interrupted' })
    await there.ask()
    expect(there.works).toHaveLength(1)
  })
})

test('when the last follower here leaves, nothing waits any longer', async () => {
  const [here, there] = nodesOf(aFleet(2))
  await here.ask()
  const second = await there.ask()
  second.abort.abort(gone)
  await expect(second.text).rejects.toBe(gone)
  await there.idempotency.ended()
  expect(there.idempotency.counts()).toEqual({ inFlight: 0, kept: 0, bytes: 0 })
  const third = await there.ask()
  complete(here.works[0]!)
  expect(await third.text).toBe('answer')
})

test('while the shared cache is unavailable, each process works on its own', async () => {
  const [here, there] = nodesOf(aFleet(2, {}, without('begin', 'forget')))
  for (const node of [here, there]) {
    const first = await node.ask()
    const second = await node.ask()
    complete(node.works[0]!, node.owner)
    expect(await Promise.all([first.text, second.text])).toEqual([node.owner, node.owner])
    expect(node.works).toHaveLength(1)
  }
})

test('if the shared cache fails during an answer, the answer is kept in its own process', async () => {
  const [here] = nodesOf(aFleet(2, {}, without('append', 'finish')))
  const first = await here.ask()
  complete(here.works[0]!)
  expect(await first.text).toBe('answer')
  await first.work
  expect(await (await here.ask()).text).toBe('answer')
  expect(here.works).toHaveLength(1)
})

test('every retry of a key gets the same bytes, at any process and time', async () => {
  const step = fc.oneof(
    fc.record({ ask: fc.nat(2) }),
    fc.record({ write: fc.string({ maxLength: 20, unit: 'binary' }) }),
    fc.record({ wait: fc.nat(3) }),
    fc.record({ leave: fc.nat(5) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { nodes } = aFleet(3)
      const first = await nodes[0]!.ask()
      const callers = [first]
      const left = new Set<unknown>()
      const [work] = nodes[0]!.works
      let written = ''
      work?.answer.begin(made)
      for (const each of steps) {
        if ('ask' in each) callers.push(await nodes[each.ask]!.ask())
        else if ('wait' in each) for (let turn = 0; turn < each.wait; turn++) await setImmediate()
        else if ('write' in each) {
          written += each.write
          work?.answer.write(each.write)
        } else {
          const caller = callers[each.leave]
          caller?.abort.abort(gone)
          left.add(caller)
        }
      }
      work?.answer.end(made)
      work?.resolve()
      await first.work
      for (const node of nodes) callers.push(await node.ask())
      for (const caller of callers) if (!left.has(caller)) expect(await caller.text).toBe(written)
      expect(nodes.flatMap(({ works }) => works)).toHaveLength(1)
    }),
    { numRuns: 100 },
  )
})

/** A cache that is unavailable for these methods. */
function without(...lost: readonly (keyof SharedCache)[]): (cache: SharedCache) => SharedCache {
  return (cache) =>
    new Proxy(cache, {
      get(target, name) {
        if (lost.some((each) => each === name)) return () => Promise.reject(new Error('Away.'))
        const method: unknown = Reflect.get(target, name)
        return typeof method === 'function' ? method.bind(target) : method
      },
    })
}

type Node = Fleet['nodes'][number]

function nodesOf({ nodes }: Pick<Fleet, 'nodes'>): readonly [Node, Node] {
  const [here, there] = nodes
  if (here === undefined || there === undefined) throw new TypeError('A fleet has two at least.')
  return [here, there]
}
