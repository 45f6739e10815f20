import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeBus } from '../../contracts/bus.ts'
import { describeSharedCache } from '../../contracts/shared-cache.ts'
import { describeState } from '../../contracts/state.ts'
import { startWatchedRedis } from '../../harness/redis-sentinel.ts'
import { noRedis, type RedisServer, startRedis } from '../../harness/redis-server.ts'
import { type NodeOptions, newPrefix, openNode, until } from './nodes.ts'

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const servers: RedisServer[] = []
const urls = () => servers.map(({ url }) => url)

const why = noRedis === undefined ? '' : ` (skipped: ${noRedis})`

describe.skipIf(noRedis !== undefined)(`over a cluster${why}`, () => {
  beforeAll(async () => {
    const settings = ['cluster-enabled yes', 'cluster-node-timeout 5000', 'cluster-require-full-coverage yes']
    for (let at = 0; at < 3; at++) servers.push(await startRedis({ settings }))
    const [first, ...others] = servers
    const ranges = [
      ['0', '5461'],
      ['5462', '10922'],
      ['10923', '16383'],
    ]
    for (const [at, server] of servers.entries())
      await server.command('CLUSTER', 'ADDSLOTSRANGE', ...(ranges[at] ?? []))
    for (const { port } of others) await first?.command('CLUSTER', 'MEET', '127.0.0.1', String(port))
    await until(async () => {
      const infos = await Promise.all(servers.map((server) => server.command('CLUSTER', 'INFO')))
      return infos.every(
        (info) => /cluster_state:ok/.test(String(info)) && /cluster_known_nodes:3/.test(String(info)),
      )
    })
  })

  afterAll(async () => {
    for (const server of servers.splice(0)) await server[Symbol.asyncDispose]()
  })

  const open = (options: NodeOptions = {}) => openNode(urls(), { mode: 'cluster', ...options })

  const openPair = async () => {
    const prefix = newPrefix()
    const [node, other] = [await open({ prefix }), await open({ prefix })]
    return {
      node,
      other,
      async [Symbol.asyncDispose]() {
        await node[Symbol.asyncDispose]()
        await other[Symbol.asyncDispose]()
      },
    }
  }

  describeState({
    name: 'a cluster',
    async open() {
      const node = await open()
      expect(node.report().isUp).toBe(true)
      return { state: node.state, pass: wait, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() }
    },
  })

  describeSharedCache({
    name: 'a cluster',
    async open() {
      const pair = await openPair()
      return { ...pair, cache: pair.node.cache, other: pair.other.cache, pass: wait }
    },
  })

  describeBus({
    name: 'a cluster',
    async open() {
      const pair = await openPair()
      return { ...pair, bus: pair.node.bus, other: pair.other.bus }
    },
  })
})

describe.skipIf(noRedis !== undefined)(`over sentinels${why}`, () => {
  test('a node continues with the new master after a failover, and no spent amount is lost', async () => {
    await using redis = await startWatchedRedis()
    const prefix = newPrefix()
    await using node = await openNode([redis.url], { mode: 'sentinel', prefix })
    expect(node.report().isUp).toBe(true)
    const part = { counter: 'key', nanoUsd: 10, limitNanoUsd: 1000 }
    const reserve = (id: string) => node.state.reserve({ id, owner: node.owner, parts: [part] })
    const settle = (id: string) =>
      node.state.settle(id, [{ counter: 'key', spentNanoUsd: 10, uncertainNanoUsd: 0 }])
    await reserve('a')
    await settle('a')
    await until(() => node.report().leasedNanoUsd > 0)
    await redis.master.kill()
    await until(() => !node.report().isUp)
    expect(await reserve('b')).toEqual({ isTaken: true })
    await settle('b')
    await until(() => node.report().isUp && node.report().untold === 0)
    expect(await redis.hasTakenOver()).toBe(true)
    expect(await node.state.read(['key'])).toEqual([
      { spentNanoUsd: 20, heldNanoUsd: 0, uncertainNanoUsd: 0 },
    ])
  })
})
