import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HoldPart } from '../../../src/core/model/shared/state.ts'
import { noRedis, type RedisServer, startRedis } from '../../harness/redis-server.ts'
import { hangsMs, newPrefix, openNode, openWire, sweepsAfterMs, type TestNode, until } from './nodes.ts'

const part = (nanoUsd: number, limitNanoUsd = 1000, counter = 'key'): HoldPart => ({
  counter,
  nanoUsd,
  limitNanoUsd,
})
const spent = (spentNanoUsd: number, uncertainNanoUsd = 0) => [
  { counter: 'key', spentNanoUsd, uncertainNanoUsd },
]
const reserve = ({ state, owner }: TestNode, id: string, nanoUsd = 10) =>
  state.reserve({ id, owner, parts: [part(nanoUsd)] })

/** Lets a node spend, so that it leases a slice of the budget. */
async function withSlice(node: TestNode): Promise<void> {
  await reserve(node, `first-${node.owner}`)
  await node.state.settle(`first-${node.owner}`, spent(10))
  await until(() => node.report().leasedNanoUsd > 0)
}

let server: RedisServer

describe.skipIf(noRedis !== undefined)(
  `while Redis is unavailable${noRedis === undefined ? '' : ` (skipped: ${noRedis})`}`,
  () => {
    beforeAll(async () => {
      server = await startRedis({ appends: true })
    })

    afterAll(async () => {
      await server[Symbol.asyncDispose]()
    })

    test('a node continues within the slice that it leased, to the last nano-USD', async () => {
      await using wire = await openWire(server.port)
      const prefix = newPrefix()
      await using node = await openNode([wire.url], { prefix })
      await withSlice(node)
      const { leasedNanoUsd } = node.report()
      expect(leasedNanoUsd).toBe(Math.floor((1000 - 10) * 0.2))
      wire.cut()
      let taken = 0
      while ((await reserve(node, `alone-${taken}`)).isTaken) taken++
      expect(taken).toBe(Math.floor(leasedNanoUsd / 10))
      const refused = await reserve(node, 'more')
      expect(refused).toMatchObject({ isTaken: false, blockers: [{ counter: 'key', spentNanoUsd: 10 }] })
      for (let at = 0; at < taken; at++) {
        expect(await node.state.settle(`alone-${at}`, spent(at === 0 ? 4 : 10, at === 0 ? 6 : 0))).toBe(true)
      }
      expect(node.report()).toMatchObject({ isUp: false, losses: 1 })
      wire.mend()
      await until(() => node.report().isUp && node.report().untold === 0)
      await using other = await openNode([server.url], { prefix })
      await until(async () => {
        const [reading] = await other.state.read(['key'])
        return reading?.spentNanoUsd === 10 + 10 * taken - 6
      })
      expect(await other.state.read(['key'])).toEqual([
        { spentNanoUsd: 4 + 10 * taken, heldNanoUsd: 0, uncertainNanoUsd: 6 },
      ])
      expect(await other.state.resolve('alone-0', 7)).toBe(true)
    })

    test('a hold taken before is settled once, and one taken meanwhile stays open', async () => {
      await using wire = await openWire(server.port)
      const prefix = newPrefix()
      await using node = await openNode([wire.url], { prefix })
      await withSlice(node)
      await reserve(node, 'before', 100)
      wire.cut()
      expect(await reserve(node, 'meanwhile', 30)).toMatchObject({ isTaken: true })
      expect(await node.state.grow('before', [part(20)])).toEqual({ isTaken: true })
      expect(await node.state.settle('before', spent(110))).toBe(true)
      expect(await node.state.settle('before', spent(110))).toBe(false)
      wire.mend()
      await until(() => node.report().isUp && node.report().untold === 0)
      expect(await node.state.read(['key'])).toEqual([
        { spentNanoUsd: 120, heldNanoUsd: 30, uncertainNanoUsd: 0 },
      ])
      expect(await node.state.grow('meanwhile', [part(5)])).toEqual({ isTaken: true })
      expect(await node.state.settle('meanwhile', spent(33))).toBe(true)
      expect(await node.state.read(['key'])).toEqual([
        { spentNanoUsd: 153, heldNanoUsd: 0, uncertainNanoUsd: 0 },
      ])
    })

    test('closed refuses new calls and lets others continue; open refuses nothing, and reports everything', async () => {
      await using wire = await openWire(server.port)
      await using closed = await openNode([wire.url], { onLoss: 'closed' })
      await using open = await openNode([wire.url], { onLoss: 'open' })
      await reserve(closed, 'before', 100)
      wire.cut()
      const admit = { leaseId: 'a', owner: 'node-1', rates: [], slots: [] }
      await expect(reserve(closed, 'new')).rejects.toMatchObject({ kind: 'shed' })
      await expect(closed.state.admit(admit)).rejects.toMatchObject({ kind: 'shed' })
      expect(await closed.state.grow('before', [part(5000)])).toEqual({ isTaken: true })
      expect(await closed.state.settle('before', spent(500))).toBe(true)
      expect(await reserve(open, 'a', 5000)).toEqual({ isTaken: true })
      expect(await open.state.settle('a', spent(4000))).toBe(true)
      wire.mend()
      for (const node of [closed, open]) await until(() => node.report().isUp && node.report().untold === 0)
      expect(await closed.state.read(['key'])).toMatchObject([{ spentNanoUsd: 500, heldNanoUsd: 0 }])
      expect(await open.state.read(['key'])).toMatchObject([{ spentNanoUsd: 4000, heldNanoUsd: 0 }])
    })

    test('each node has its share of a rate, and reports what it took to Redis', async () => {
      await using wire = await openWire(server.port)
      const prefix = newPrefix()
      await using node = await openNode([wire.url], { prefix })
      await using _other = await openNode([wire.url], { prefix })
      await until(() => node.report().nodes === 2)
      const take = async (id: string) => {
        const rates = [{ key: 'rpm', perMinute: 1, burst: 20, amount: 1 }]
        return (await node.state.admit({ leaseId: id, owner: node.owner, rates, slots: [] })).isAdmitted
      }
      wire.cut()
      await until(() => !node.report().isUp)
      let taken = 0
      while (await take(`a-${taken}`)) taken++
      expect(taken).toBe(10)
      wire.mend()
      await until(() => node.report().isUp && node.report().untold === 0)
      expect(await node.state.readRates([{ key: 'rpm', perMinute: 1, burst: 20 }])).toMatchObject([
        { remaining: 10 },
      ])
    })

    test('a node reuses its places, and returns them to Redis', async () => {
      await using wire = await openWire(server.port)
      await using node = await openNode([wire.url])
      const admit = async (leaseId: string) => {
        const slots = [{ key: 'key', limit: 2 }]
        return (await node.state.admit({ leaseId, owner: node.owner, rates: [], slots })).isAdmitted
      }
      expect([await admit('a'), await admit('b')]).toEqual([true, true])
      wire.cut()
      expect(await admit('c')).toBe(false)
      await node.state.release('a')
      expect([await admit('c'), await admit('d')]).toEqual([true, false])
      wire.mend()
      await until(() => node.report().isUp && node.report().untold === 0)
      expect(await admit('e')).toBe(false)
      await node.state.release('c')
      await node.state.release('b')
      expect([await admit('e'), await admit('f'), await admit('g')]).toEqual([true, true, false])
    })

    test('a Redis that returns empty is restored from the nodes', async () => {
      await using plain = await startRedis()
      const prefix = newPrefix()
      await using node = await openNode([plain.url], { prefix })
      await using other = await openNode([plain.url], { prefix })
      await withSlice(node)
      await withSlice(other)
      await reserve(other, 'held', 100)
      await plain.kill()
      await until(() => !node.report().isUp && !other.report().isUp)
      expect(await reserve(node, 'alone', 20)).toMatchObject({ isTaken: true })
      await node.state.settle('alone', spent(20))
      await plain.start()
      await until(() => [node, other].every((each) => each.report().isUp && each.report().untold === 0))
      expect(await node.state.read(['key'])).toEqual([
        { spentNanoUsd: 40, heldNanoUsd: 100, uncertainNanoUsd: 0 },
      ])
      expect(await other.state.settle('held', spent(60))).toBe(true)
      expect(await node.state.read(['key'])).toEqual([
        { spentNanoUsd: 100, heldNanoUsd: 0, uncertainNanoUsd: 0 },
      ])
    })

    test('a Redis that returns empty forgets nothing that it acknowledged, in any order of nodes', async () => {
      await using plain = await startRedis()
      await using wire = await openWire(plain.port)
      const prefix = newPrefix()
      const goneAfterMs = 600_000
      await using node = await openNode([plain.url], { prefix, goneAfterMs })
      await using other = await openNode([wire.url], { prefix, goneAfterMs })
      const charge = ({ state }: TestNode, spentNanoUsd: number) =>
        state.charge([{ counter: 'key', spentNanoUsd }])
      await withSlice(node)
      await charge(other, 100)
      await plain.kill()
      await until(() => !node.report().isUp && !other.report().isUp)
      wire.cut()
      await plain.start()
      await until(() => node.report().isUp)
      await charge(node, 70)
      wire.mend()
      await until(() => other.report().isUp && other.report().untold === 0)
      expect(await node.state.read(['key'])).toMatchObject([{ spentNanoUsd: 10 + 100 + 70 }])
    })

    test('nothing waits: a step in flight is decided as soon as Redis does not answer', async () => {
      await using node = await openNode([server.url], { timeoutMs: hangsMs })
      await withSlice(node)
      server.stop()
      const many = await Promise.all(Array.from({ length: 30 }, (_, at) => reserve(node, `call-${at}`)))
      expect(many.filter(({ isTaken }) => isTaken)).toHaveLength(Math.floor(((1000 - 10) * 0.2) / 10))
      server.resume()
      // What Redis took without an answer is returned.
      await expect
        .poll(() => node.state.read(['key']))
        .toMatchObject([{ spentNanoUsd: 10, heldNanoUsd: 190 }])
    })
  },
)

describe.skipIf(noRedis !== undefined)('several nodes over Redis', () => {
  beforeAll(async () => {
    server = await startRedis()
  })

  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  test('spend a budget to its last nano-USD, regardless of leases', async () => {
    const prefix = newPrefix()
    const nodes = [
      await openNode([server.url], { prefix }),
      await openNode([server.url], { prefix }),
      await openNode([server.url], { prefix }),
    ]
    for (const node of nodes) await withSlice(node)
    const taken = await Promise.all(
      Array.from({ length: 150 }, (_, at) => {
        const node = nodes[at % 3] as TestNode
        return reserve(node, `call-${at}`, 10)
      }),
    )
    let count = taken.filter(({ isTaken }) => isTaken).length
    // On a busy machine, a node may return its lease later than a call waits for it.
    await until(async () => {
      const more = await reserve(nodes[0] as TestNode, `more-${count}`, 10)
      if (more.isTaken) count++
      return count >= 97
    })
    expect((await reserve(nodes[1] as TestNode, 'too-much', 1)).isTaken).toBe(false)
    expect(await nodes[0]?.state.read(['key'])).toEqual([
      { spentNanoUsd: 30, heldNanoUsd: 970, uncertainNanoUsd: 0 },
    ])
    for (const node of nodes) await node[Symbol.asyncDispose]()
  })

  test('settle the holds of a dead node once, and free its places', async () => {
    const prefix = newPrefix()
    const goneAfterMs = sweepsAfterMs
    await using wire = await openWire(server.port)
    await using gone = await openNode([wire.url], { prefix, owner: 'gone' })
    await reserve(gone, 'held', 70)
    const slots = [{ key: 'key', limit: 1 }]
    await gone.state.admit({ leaseId: 'lease', owner: 'gone', rates: [], slots })
    await gone.cache.begin('answer', { owner: 'gone', fingerprint: 'print', ttlMs: 60_000 })
    wire.cut()
    await using node = await openNode([server.url], { prefix, goneAfterMs })
    await using other = await openNode([server.url], { prefix, goneAfterMs })
    await until(() => node.swept.length + other.swept.length > 0)
    expect([...node.swept, ...other.swept].map(({ id }) => id)).toEqual(['held'])
    expect(await node.state.read(['key'])).toEqual([
      { spentNanoUsd: 0, heldNanoUsd: 0, uncertainNanoUsd: 70 },
    ])
    const again = await node.state.admit({ leaseId: 'b', owner: 'node', rates: [], slots })
    expect(again.isAdmitted).toBe(true)
    await until(
      async () => (await node.cache.begin('answer', { owner: 'n', fingerprint: 'p', ttlMs: 1000 })).isYours,
    )
  })

  test('a node that was only disconnected makes its uncertain amounts certain', async () => {
    const prefix = newPrefix()
    const goneAfterMs = sweepsAfterMs
    await using wire = await openWire(server.port)
    await using cut = await openNode([wire.url], { prefix, owner: 'cut' })
    await reserve(cut, 'held', 70)
    await reserve(cut, 'open', 30)
    wire.cut()
    await using node = await openNode([server.url], { prefix, goneAfterMs })
    await until(() => !cut.report().isUp)
    await cut.state.settle('held', spent(25))
    await until(() => node.swept.length === 2)
    expect(await node.state.read(['key'])).toEqual([
      { spentNanoUsd: 0, heldNanoUsd: 0, uncertainNanoUsd: 100 },
    ])
    wire.mend()
    await until(() => cut.report().isUp && cut.report().untold === 0)
    await cut.state.settle('open', spent(7))
    expect(await node.state.read(['key'])).toEqual([
      { spentNanoUsd: 32, heldNanoUsd: 0, uncertainNanoUsd: 0 },
    ])
  })

  test('a node that was only disconnected leaves uncertain what its own settlement leaves so', async () => {
    const prefix = newPrefix()
    const goneAfterMs = sweepsAfterMs
    await using wire = await openWire(server.port)
    await using cut = await openNode([wire.url], { prefix, owner: 'cut' })
    await reserve(cut, 'held', 70)
    wire.cut()
    await using node = await openNode([server.url], { prefix, goneAfterMs })
    await until(() => node.swept.length === 1)
    await cut.state.settle('held', [{ counter: 'key', spentNanoUsd: 16, uncertainNanoUsd: 40 }])
    wire.mend()
    await until(() => cut.report().isUp && cut.report().untold === 0)
    expect(await node.state.read(['key'])).toEqual([
      { spentNanoUsd: 16, heldNanoUsd: 0, uncertainNanoUsd: 40 },
    ])
    expect(await node.state.resolve('held', 20)).toBe(true)
    expect(await node.state.read(['key'])).toEqual([
      { spentNanoUsd: 20, heldNanoUsd: 0, uncertainNanoUsd: 0 },
    ])
  })
})
