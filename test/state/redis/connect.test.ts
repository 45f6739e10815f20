import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { noRedis, startRedis } from '../../harness/redis-server.ts'
import { hangsMs, openNode, until } from './nodes.ts'

describe.skipIf(noRedis !== undefined)('a node that cannot use its Redis says why', () => {
  const word = 'a-word-that-nobody-may-see'
  test.for([
    ['another password', (port: number) => `redis://:not-${word}@127.0.0.1:${port}`, /WRONGPASS/],
    ['no password', (port: number) => `redis://127.0.0.1:${port}`, /NOAUTH/],
    ['a database that does not exist', (port: number) => `redis://:${word}@127.0.0.1:${port}/99`, /DB index/],
    ['nobody at its port', () => 'redis://127.0.0.1:1', /ECONNREFUSED/],
  ] as const)('%s', async ([, urlOf, reason]) => {
    await using server = await startRedis()
    await server.command('CONFIG', 'SET', 'requirepass', word)
    await using node = await openNode([urlOf(server.port)])
    expect(node.report().isUp).toBe(false)
    expect(node.report().reason).toMatch(reason)
    expect(node.report().reason).not.toContain(word)
  })

  test('a server that is no cluster, and sentinels that are none', async () => {
    await using server = await startRedis()
    await using cluster = await openNode([server.url], { mode: 'cluster' })
    await using sentinel = await openNode([server.url], { mode: 'sentinel' })
    expect(cluster.report().reason).toMatch(/cluster/i)
    expect(sentinel.report().reason).toMatch(/sentinel/i)
  })

  test.for([
    ['a password of their own', 'of-sentinels', 'of-master', ':of-sentinels@', 'of-master'],
    ['the same password, in the URL', 'of-both', 'of-both', ':of-both@', undefined],
    ['the same password, set for both', 'of-both', 'of-both', '', 'of-both'],
    ['none', undefined, 'of-master', '', 'of-master'],
  ] as const)('sentinels with %s are asked', async ([, ofSentinels, ofMaster, inUrl, password]) => {
    await using master = await startRedis()
    await master.command('CONFIG', 'SET', 'requirepass', ofMaster)
    const watched = `sentinel monitor main 127.0.0.1 ${master.port} 1\nsentinel auth-pass main ${ofMaster}`
    await using sentinel = await startRedis({ sentinel: watched })
    if (ofSentinels !== undefined) {
      await sentinel.command('ACL', 'SETUSER', 'default', 'resetpass', `>${ofSentinels}`)
    }
    const given = password === undefined ? {} : { password }
    await using node = await openNode([`redis://${inUrl}127.0.0.1:${sentinel.port}`], {
      ...{ mode: 'sentinel', ...given },
    })
    expect(node.report()).toMatchObject({ isUp: true, reason: undefined })
  })

  // Each is an answer that the first connection gets last.
  test.for([
    ['it lacks a script', /NOSCRIPT/],
    ['it has executed one', /^\*3/m],
  ] as const)('one that hangs once while a node connects, after %s, is tried again', async ([, last]) => {
    await using server = await startRedis()
    await using wire = await startHangingWire(server.port, last)
    await using node = await openNode([wire.url], { timeoutMs: hangsMs })
    await until(() => node.report().isUp)
    expect(wire.connections()).toBeGreaterThan(1)
  })

  test('a database by its number is used', async () => {
    await using server = await startRedis()
    await using node = await openNode([`${server.url}/3`])
    expect(node.report()).toMatchObject({ isUp: true, reason: undefined })
    await node.cache.put('key', 'text', 60_000)
    expect(String(await server.command('INFO', 'keyspace'))).toMatch(/^db3:/m)
    expect(String(await server.command('INFO', 'keyspace'))).not.toMatch(/^db0:/m)
  })
})

/** A connection to a server; the first one passes on nothing after such an answer. */
async function startHangingWire(port: number, last: RegExp) {
  let connections = 0
  const server = createServer((near) => {
    const isFirst = ++connections === 1
    const far = connect(port, '127.0.0.1')
    let hangs = false
    far.on('data', (bytes) => {
      if (!hangs) near.write(bytes)
      hangs ||= isFirst && last.test(bytes.toString('latin1'))
    })
    near.on('data', (bytes) => void far.write(bytes))
    near.on('close', () => far.destroy()).on('error', () => {})
    far.on('close', () => near.destroy()).on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}
