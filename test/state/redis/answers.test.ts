import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CallAbort } from '../../../src/core/model/call-signal.ts'
import { appendScript, beginScript } from '../../../src/state/redis/cache-scripts.ts'
import { noRedis, type RedisServer, startRedis } from '../../harness/redis-server.ts'
import { hangsMs, newPrefix, openNode, openWire, type TestNode, until } from './nodes.ts'

let server: RedisServer

describe.skipIf(noRedis !== undefined)('an answer that is being made while Redis is lost', () => {
  beforeAll(async () => {
    server = await startRedis({ appends: true })
  })

  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  test('is whole for all nodes after the reconnect, also if it ended meanwhile', async () => {
    await using pair = await openPair(server, hangsMs)
    const { node, other, wire } = pair
    await node.cache.begin('key', making(node))
    expect(await node.cache.append('key', node.owner, ['one '])).toBe(true)
    // Redis executes this one, and its answer arrives nowhere.
    wire.hangAt(appendScript.sha, 'passed')
    expect(await node.cache.append('key', node.owner, ['two ', 'three '])).toBe(true)
    expect(node.report().isUp).toBe(false)
    expect(await node.cache.append('key', node.owner, ['four '])).toBe(true)
    expect(await node.cache.finish('key', node.owner, { keepMs: 600_000 })).toBe(true)
    wire.mend()
    await until(async () => isWhole(await other.cache.begin('key', making(other))))
    expect(await textOf(other, 'key')).toBe('one two three four ')
  })

  test('is followed to its end after the reconnect', async () => {
    await using pair = await openPair()
    const { node, other, wire } = pair
    await node.cache.begin('key', making(node))
    wire.cut()
    await until(() => !node.report().isUp)
    expect(await node.cache.append('key', node.owner, ['one '])).toBe(true)
    wire.mend()
    await until(() => node.report().isUp)
    const following = textOf(other, 'key')
    expect(await node.cache.append('key', node.owner, ['two'])).toBe(true)
    expect(await node.cache.finish('key', node.owner, 'drop')).toBe(true)
    expect(await following).toBe('one two')
  })

  test('is lost, and its key free, if Redis has lost it', async () => {
    await using empty = await startRedis()
    await using pair = await openPair(empty)
    const { node, other } = pair
    await node.cache.begin('key', making(node))
    await node.cache.append('key', node.owner, ['one '])
    await empty.kill()
    await until(() => !node.report().isUp && !other.report().isUp)
    expect(await node.cache.append('key', node.owner, ['two '])).toBe(true)
    await empty.start()
    await until(() => node.report().isUp && other.report().isUp)
    await until(async () => !(await node.cache.append('key', node.owner, ['three'])))
    expect(await other.cache.begin('key', making(other))).toEqual({ isYours: true })
  })

  test('is lost if a part of it is missing, because a replica took over that was behind', async () => {
    await using pair = await openPair()
    const { node, other, prefix } = pair
    for (const key of ['appended', 'finished']) {
      await node.cache.begin(key, making(node))
      await node.cache.append(key, node.owner, ['one '])
      await node.cache.append(key, node.owner, ['two '])
    }
    const lists = (await server.command('KEYS', `${prefix}:answer:*:p:*`)) as readonly string[]
    expect(lists).toHaveLength(2)
    for (const list of lists) await server.command('RPOP', list)
    const following = expect(textOf(other, 'appended')).rejects.toMatchObject({ kind: 'interrupted' })
    expect(await node.cache.append('appended', node.owner, ['three'])).toBe(false)
    await following
    expect(await node.cache.finish('finished', node.owner, { keepMs: 60_000 })).toBe(false)
    for (const key of ['appended', 'finished']) {
      expect(await other.cache.begin(key, making(other))).toEqual({ isYours: true })
    }
  })

  test('does not keep its key if Redis was lost as it began', async () => {
    await using pair = await openPair(server, hangsMs)
    const { node, other, wire } = pair
    wire.hangAt(beginScript.sha, 'passed')
    expect(await node.cache.begin('key', making(node))).toEqual({ isYours: true })
    expect(node.report().isUp).toBe(false)
    expect(await other.cache.begin('key', making(other))).toMatchObject({ isYours: false })
    wire.mend()
    await until(async () => (await other.cache.begin('key', making(other))).isYours)
    expect(await node.cache.append('key', node.owner, ['own'])).toBe(true)
    expect(await node.cache.finish('key', node.owner, 'drop')).toBe(true)
  })
})

const making = ({ owner }: TestNode) => ({ owner, fingerprint: 'print', ttlMs: 600_000 })

const isWhole = (begun: Awaited<ReturnType<TestNode['cache']['begin']>>) => !begun.isYours && begun.isWhole

async function openPair(over: Pick<RedisServer, 'port'> = server, timeoutMs?: number) {
  const prefix = newPrefix()
  const wire = await openWire(over.port)
  const [node, other] = [
    await openNode([wire.url], { prefix, ...(timeoutMs === undefined ? {} : { timeoutMs }) }),
    await openNode([`redis://127.0.0.1:${over.port}`], { prefix }),
  ]
  return {
    ...{ node, other, prefix, wire },
    async [Symbol.asyncDispose]() {
      await node[Symbol.asyncDispose]()
      await other[Symbol.asyncDispose]()
      await wire[Symbol.asyncDispose]()
    },
  }
}

async function textOf({ cache }: TestNode, key: string): Promise<string> {
  let text = ''
  for await (const piece of cache.follow(key, new CallAbort())) text += piece
  return text
}
