import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { readGpuPrices } from '../../../src/providers/runpod/gpu-prices.ts'
import { runpod } from '../../../src/providers/runpod/runpod.ts'
import { tools } from '../../harness/tools.ts'

/** As RunPod's description of its API has it: USD per hour. */
const catalog = {
  gpus: [
    {
      id: 'NVIDIA H100 80GB HBM3',
      name: 'H100 SXM',
      pool: 'ADA_80_PRO',
      memory: 80,
      price: { serverless: 4.176 },
    },
    {
      id: 'NVIDIA A40',
      name: 'A40',
      pool: 'AMPERE_48',
      memory: 48,
      price: { serverless: 1.224, secure: 0.4 },
    },
    { id: 'NVIDIA L4', name: 'L4', memory: 24, price: { secure: 0.43 } },
    { id: 'NVIDIA T4', name: 'T4', price: null },
    { name: '', price: { serverless: 1 } },
    'other',
  ],
}

test('a second costs a 3600th of what the catalogue has for an hour; what has no serverless price is left out', () => {
  const prices = [
    { names: ['NVIDIA H100 80GB HBM3', 'H100 SXM', 'ADA_80_PRO'], nanoUsdPerSecond: 1_160_000 },
    { names: ['NVIDIA A40', 'A40', 'AMPERE_48'], nanoUsdPerSecond: 340_000 },
  ]
  expect(readGpuPrices(catalog)).toEqual(prices)
  expect(readGpuPrices(catalog.gpus)).toEqual(prices)
})

test.for([[{}], [null], [{ gpus: 7 }]])('%j is no catalogue', ([answer]) => {
  expect(() => readGpuPrices(answer)).toThrow(expect.objectContaining({ kind: 'invalid_response' }))
})

test.for(['openai', 'jobs'])('an endpoint in mode %s asks for it, with its key', async (mode) => {
  const asked: unknown[] = []
  const server = createServer(({ url, headers }, response) => {
    asked.push([url, headers.authorization])
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(catalog))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const settings = runpod.settings.parse({
    ...{ endpointId: 'abc', apiKey: 'rpa_key', mode },
    catalogUrl: `${url}/v2`,
  })
  const upstream = runpod.create('rented', settings, tools)
  const found = await upstream.listHardware?.(new AbortController().signal)
  expect(found?.[0]).toMatchObject({ nanoUsdPerSecond: 1_160_000 })
  expect(asked).toEqual([['/v2/catalog/gpus', 'Bearer rpa_key']])
  await upstream.close()
  server.close()
})

test('one at another address, or without a key, asks nobody', () => {
  const elsewhere = { endpointId: 'abc', baseUrl: 'http://127.0.0.1:9' }
  for (const given of [{ ...elsewhere, apiKey: 'rpa_key' }, { endpointId: 'abc' }]) {
    const upstream = runpod.create('rented', runpod.settings.parse(given), tools)
    expect(upstream.listHardware).toBeUndefined()
    void upstream.close()
  }
})
