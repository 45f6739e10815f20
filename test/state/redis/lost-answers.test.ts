import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HoldPart } from '../../../src/core/model/shared/state.ts'
import { leaseScript, reportScript } from '../../../src/state/redis/node-scripts.ts'
import { noRedis, type RedisServer, startRedis } from '../../harness/redis-server.ts'
import { hangsMs, newPrefix, openNode, openWire, type TestNode, until } from './nodes.ts'

const limitNanoUsd = 1000
const part = (nanoUsd: number): HoldPart => ({ counter: 'key', nanoUsd, limitNanoUsd })
const reserve = ({ state, owner }: TestNode, id: string, nanoUsd: number) =>
  state.reserve({ id, owner, parts: [part(nanoUsd)] })
const settle = ({ state }: TestNode, id: string, spentNanoUsd: number) =>
  state.settle(id, [{ counter: 'key', spentNanoUsd, uncertainNanoUsd: 0 }])

/** Reserves until there is no room. Returns what it took. */
async function takeAll(node: TestNode): Promise<number> {
  let taken = 0
  while ((await reserve(node, `${node.owner}-${taken}`, 1)).isTaken) taken++
  return taken
}

let server: RedisServer

describe.skipIf(noRedis !== undefined)('a node that is lost with an answer of Redis on its way', () => {
  beforeAll(async () => {
    server = await startRedis()
  })

  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  test('spends no more than is leased to it, if its lease was just made smaller', async () => {
    const prefix = newPrefix()
    await using wire = await openWire(server.port)
    await using node = await openNode([wire.url], { prefix, timeoutMs: hangsMs })
    await using other = await openNode([server.url], { prefix, leasePart: 0 })
    await reserve(node, 'first', 10)
    await settle(node, 'first', 10)
    await until(() => node.report().leasedNanoUsd > 0)
    const { leasedNanoUsd } = node.report()
    wire.hangAt(leaseScript.sha, 'passed')
    await reserve(other, 'much', 700)
    await until(() => !node.report().isUp)
    const taken = await takeAll(node)
    expect(taken).toBe(leasedNanoUsd)
    expect(10 + 700 + taken + (await takeAll(other))).toBe(limitNanoUsd)
  })

  test('does not wait for it: a hold grows as far as the node may go alone', async () => {
    await using wire = await openWire(server.port)
    await using node = await openNode([wire.url], { timeoutMs: hangsMs })
    await reserve(node, 'first', 10)
    await settle(node, 'first', 10)
    await until(() => node.report().leasedNanoUsd > 0)
    wire.cut()
    await until(() => !node.report().isUp)
    expect(await reserve(node, 'alone', 20)).toEqual({ isTaken: true })
    wire.mend()
    wire.hangAt(reportScript.sha, 'swallowed')
    await until(() => node.report().isUp || node.report().losses > 1)
    // It waits for the report, and then Redis is lost again.
    await node.state.grow('alone', [part(5)])
    expect(node.report().isUp).toBe(false)
  })
})

test.skipIf(noRedis !== undefined)(
  'a large hold does not keep a node from leasing for small ones',
  async () => {
    await using redis = await startRedis()
    await using node = await openNode([redis.url])
    await reserve(node, 'large', 900)
    await settle(node, 'large', 1)
    await reserve(node, 'small', 10)
    await until(() => node.report().leasedNanoUsd > 0)
  },
)
