import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OnLoss } from '../../../src/state/redis/solo.ts'
import { noRedis, type RedisServer, startRedis } from '../../harness/redis-server.ts'
import { newPrefix, openNode, openWire, sweepsAfterMs, type TestNode, until } from './nodes.ts'

let server: RedisServer

describe.skipIf(noRedis !== undefined)(
  `nodes of several workers${noRedis === undefined ? '' : ` (skipped: ${noRedis})`}`,
  () => {
    beforeAll(async () => {
      server = await startRedis({ appends: true })
    })

    afterAll(async () => {
      await server[Symbol.asyncDispose]()
    })

    test('a dead node is abandoned with its workers: money, places and answers', async () => {
      const prefix = newPrefix()
      await using wire = await openWire(server.port)
      await using node = await openNode([wire.url], { prefix })
      await using other = await openNode([server.url], { prefix })
      const worker = `${node.owner}-w3`
      await takeEverything(node, worker)
      expect(await other.cache.begin('answer', making(other.owner))).toMatchObject({ isYours: false })
      wire.cut()
      await using sweeper = await openNode([server.url], { prefix, goneAfterMs: sweepsAfterMs })
      await until(() => sweeper.swept.length > 0)
      expect(sweeper.swept).toEqual([{ id: 'hold', owner: worker, parts: [{ counter: 'key', nanoUsd: 10 }] }])
      expect(await other.state.read(['key'])).toEqual([uncertain])
      expect(await placesOf(other, 8)).toBe(8)
      await until(async () => (await other.cache.begin('answer', making(other.owner))).isYours)
    })

    test('a worker that ends while Redis is unavailable is abandoned after the reconnect', async () => {
      const prefix = newPrefix()
      await using wire = await openWire(server.port)
      await using node = await openNode([wire.url], { prefix })
      const worker = `${node.owner}-w0`
      await takeEverything(node, worker)
      wire.cut()
      await until(() => !node.report().isUp)
      expect(await node.state.abandon(worker)).toEqual([
        { id: 'hold', owner: worker, parts: [{ counter: 'key', nanoUsd: 10 }] },
      ])
      await node.cache.abandon(worker)
      wire.mend()
      await until(() => node.report().isUp && node.report().untold === 0)
      await using other = await openNode([server.url], { prefix })
      expect(await other.state.read(['key'])).toEqual([uncertain])
      expect(await placesOf(other, 8)).toBe(8)
      expect(await other.state.admit(lease(other.owner, 'again'))).toMatchObject({ isAdmitted: true })
      await until(async () => (await other.cache.begin('answer', making(other.owner))).isYours)
    })

    test.for([
      ['local', 'and its part of those that were free', 2 + 3],
      ['closed', 'and no more', 2],
      ['open', 'and as many as the limit says', 8],
    ] as const)('while Redis is unavailable, `%s` keeps its places %s', async ([onLoss, , most]) => {
      const prefix = newPrefix()
      await using wire = await openWire(server.port)
      await using node = await openNode([wire.url], { prefix, onLoss: onLoss as OnLoss })
      await using _other = await openNode([server.url], { prefix })
      await until(() => node.report().nodes === 2)
      expect(await placesOf(node, 2)).toBe(2)
      wire.cut()
      await until(() => !node.report().isUp)
      expect(await placesOf(node, 8)).toBe(most)
      wire.mend()
      await until(() => node.report().isUp)
    })
  },
)

const uncertain = { spentNanoUsd: 0, heldNanoUsd: 0, uncertainNanoUsd: 10 }

const making = (owner: string) => ({ owner, fingerprint: 'f', ttlMs: 60_000 })

const lease = (owner: string, leaseId: string) => ({
  ...{ leaseId, owner, rates: [] },
  slots: [{ key: 'calls', limit: 1 }],
})

/** One of everything that a process may leave behind. */
async function takeEverything({ state, cache }: TestNode, owner: string): Promise<void> {
  await state.reserve({ id: 'hold', owner, parts: [{ counter: 'key', nanoUsd: 10, limitNanoUsd: 1000 }] })
  await state.admit(lease(owner, 'lease'))
  await state.allot({ ...provider, owner, used: 5, returned: 0, needed: 5, wanted: 5 })
  await cache.begin('answer', making(owner))
}

const provider = { pool: 'provider', limit: 8 }

async function placesOf({ state, owner }: TestNode, needed: number): Promise<number> {
  return (await state.allot({ ...provider, owner, used: 0, returned: 0, needed, wanted: needed })).places
}
