import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runClosedLoop } from '../../bench/load/closed-loop.ts'
import { runOpenLoop } from '../../bench/load/open-loop.ts'
import { probeJson, probeStream } from '../../bench/load/probe.ts'
import { runStreams } from '../../bench/load/stream-loop.ts'
import { jsonScenarios, streamScenarios } from '../../bench/setup/scenarios.ts'
import { createPassThrough } from '../../bench/upstream/pass-through.ts'
import { createUpstream } from '../../bench/upstream/upstream.ts'

const servers: Server[] = []
const ports = { direct: 0, 'pass-through': 0, broken: 0 }

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

beforeAll(async () => {
  ports.direct = await listen(createUpstream())
  ports['pass-through'] = await listen(createPassThrough(ports.direct))
  ports.broken = await listen(
    createServer((request, response) => {
      if (request.url === '/cut') response.end('data: {}\n\n')
      else response.writeHead(503).end('{}')
    }),
  )
})

afterAll(() => {
  for (const server of servers) server.close()
})

describe.for(['direct', 'pass-through'] as const)('%s', (name) => {
  test.for(jsonScenarios)('$title is answered with what the upstream says', async (scenario) => {
    await probeJson({ name, routes: 'upstream', port: ports[name] }, scenario)
  })

  test.for(streamScenarios)('$title: the stream is whole, with usage and terminator', async (scenario) => {
    await probeStream({ name, routes: 'upstream', port: ports[name] }, scenario)
  })

  test('a closed loop stops at its count, and an open loop sends what its rate says', async () => {
    const ask = { port: ports[name], path: '/v1/completions', body: '{"model":"bench-8b","prompt":"x"}' }
    const closed = { kind: 'closed-loop', ask, connections: 4, durationMs: 60_000, mostRequests: 50 } as const
    expect(await runClosedLoop(closed)).toMatchObject({ requests: 50 })
    const outcome = await runOpenLoop({ kind: 'open-loop', ask, ratePerSecond: 1000, durationMs: 30 })
    expect(outcome).toMatchObject({ requests: 30, overrun: false })
    expect(outcome.latenciesMs).toHaveLength(30)
  })

  test('streams are counted by their events, text completions among them', async () => {
    const body = '{"model":"stream-7-1-3","prompt":"x","stream":true}'
    const ask = { port: ports[name], path: '/v1/completions', body }
    const job = { kind: 'streams', ask, concurrent: 3, staggerMs: 0, durationMs: 0, leastEvents: 10 } as const
    expect(await runStreams(job)).toMatchObject({ requests: 3, events: 30 })
  })
})

describe('a target that answers wrongly', () => {
  test('fails a closed loop by its status', async () => {
    const ask = { port: ports.broken, path: '/', body: '{}' }
    const job = { kind: 'closed-loop', ask, connections: 1, durationMs: 60_000, mostRequests: 9 } as const
    await expect(runClosedLoop(job)).rejects.toThrow('status 503')
  })

  test('fails a stream that lacks its terminator', async () => {
    const ask = { port: ports.broken, path: '/cut', body: '{}' }
    const job = { kind: 'streams', ask, concurrent: 1, staggerMs: 0, durationMs: 0, leastEvents: 1 } as const
    await expect(runStreams(job)).rejects.toThrow('terminator')
  })

  test('fails when nobody listens', async () => {
    const ask = { port: 1, path: '/', body: '{}' }
    const job = { kind: 'open-loop', ask, ratePerSecond: 10, durationMs: 100 } as const
    await expect(runOpenLoop(job)).rejects.toThrow('ECONNREFUSED')
  })
})
