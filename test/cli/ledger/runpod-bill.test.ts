import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { askRunpod } from '../../../src/cli/ledger/reconcile/runpod.ts'

const fixture = (name: string) =>
  readFile(new URL(`../../fixtures/runpod/${name}.json`, import.meta.url), 'utf8')
const span = { from: Date.UTC(2026, 10, 27), to: Date.UTC(2026, 10, 28, 12) }

describe('RunPod’s bill', () => {
  test('is asked for and read as the second version of its API documents it', async () => {
    await using runpod = await startBilling(await fixture('billing-serverless'))
    expect(await runpod.ask('/v2')).toEqual([
      { day: '2026-11-27', name: 'ep_abc123', nanoUsd: 3_750_000_000 },
      { day: '2026-11-28', name: 'ep_abc123', nanoUsd: 0 },
    ])
    expect(runpod.asked).toEqual([
      {
        path: '/v2/billing/serverless',
        authorization: 'Bearer rp-key',
        query: {
          ...{ startTime: '2026-11-27T00:00:00.000Z', endTime: '2026-11-28T12:00:00.000Z' },
          ...{ bucketSize: 'day', serverlessId: 'ep_abc123' },
        },
      },
    ])
  })

  test('is asked for and read as the first version documents it, where that is configured', async () => {
    await using runpod = await startBilling(await fixture('billing-endpoints'))
    expect(await runpod.ask('/v1')).toEqual([
      { day: '2026-11-27', name: 'ep_abc123', nanoUsd: 3_750_000_000 },
      { day: '2026-11-28', name: 'ep_abc123', nanoUsd: 2_100_000 },
    ])
    expect(runpod.asked).toMatchObject([
      {
        path: '/v1/billing/endpoints',
        query: { bucketSize: 'day', grouping: 'endpointId', endpointId: 'ep_abc123' },
      },
    ])
  })

  const record = { startTime: '2026-11-27T00:00:00Z', serverlessId: 'ep', totalAmount: 1 }
  test.for<[string, string, unknown, string]>([
    [
      'without an amount',
      '/v2',
      page([{ ...record, totalAmount: undefined }]),
      'records[0].totalAmount is missing',
    ],
    [
      'with another name of the amount',
      '/v2',
      page([record, { ...record, totalAmount: undefined, total: 1.5 }]),
      'records[1].totalAmount is missing',
    ],
    [
      'with an amount as text',
      '/v2',
      page([{ ...record, totalAmount: '1' }]),
      'records[0].totalAmount is not a number',
    ],
    [
      'without an endpoint',
      '/v2',
      page([{ ...record, serverlessId: undefined }]),
      'records[0].serverlessId is missing',
    ],
    ['without a day', '/v2', page([{ ...record, startTime: undefined }]), 'records[0].startTime is missing'],
    [
      'with a day that is none',
      '/v2',
      page([{ ...record, startTime: 'never' }]),
      'records[0]: "never" is not a date',
    ],
    ['without records', '/v2', { data: [record], metadata: { recordCount: 1 } }, 'records is missing'],
    ['of which a part is missing', '/v2', page([record], 3), 'holds 1 of 3 records'],
    ['that does not say how many records it has', '/v2', { records: [record] }, 'metadata is missing'],
    ['of the first version where the second is asked', '/v2', [], 'the answer is not an object'],
    ['without an amount', '/v1', [{ time: '2026-11-27', endpointId: 'ep' }], '[0].amount is missing'],
    ['of the second version where the first is asked', '/v1', page([record]), 'the answer is not an array'],
    ['that is no JSON', '/v1', undefined, 'the answer is missing'],
  ])('%s (%s) is refused, and what was missing is named', async ([, version, answer, told]) => {
    await using runpod = await startBilling(answer === undefined ? '<html>' : JSON.stringify(answer))
    await expect(runpod.ask(version)).rejects.toThrow(told)
  })

  test('that is refused names the provider of the configuration', async () => {
    await using runpod = await startBilling('{"title":"Forbidden"}', 403)
    await expect(runpod.ask('/v2')).rejects.toThrow('providers.gpus: status 403')
  })
})

function page(records: readonly object[], recordCount = records.length) {
  return { records, metadata: { recordCount } }
}

/** A server that gives one answer, and keeps what it was asked. */
async function startBilling(answer: string, status = 200) {
  const asked: object[] = []
  const server = createServer((request, response) => {
    const { pathname: path, searchParams } = new URL(request.url ?? '', 'http://runpod')
    const { authorization } = request.headers
    asked.push({ path, authorization, query: Object.fromEntries(searchParams) })
    response.writeHead(status, { 'content-type': 'application/json' }).end(answer)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    asked,
    ask: (version: string) =>
      askRunpod(
        [
          {
            name: 'gpus',
            endpointId: 'ep_abc123',
            url: `http://127.0.0.1:${port}${version}`,
            apiKey: 'rp-key',
          },
        ],
        span,
      ),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
