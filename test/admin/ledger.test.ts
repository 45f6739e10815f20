import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { makeDirectory } from '../ledger/directory.ts'

describe('a gateway that has served', () => {
  test('tells what was used, by what is asked for, at once', async () => {
    await using scene = await setUp()
    for (const model of ['m1', 'm2', 'm1']) await scene.call(model)
    const { data, by } = await scene.get('/usage?by=model')
    expect(by).toEqual(['model'])
    expect(data).toMatchObject([
      { model: 'm1', requests: 2, errors: 0 },
      { model: 'm2', requests: 1, errors: 0 },
    ])
    const [all] = (await scene.get('/usage?percentiles=true')).data as Row[]
    expect(all).toMatchObject({ requests: 3, usage: 0, usage_nano_usd: 0 })
    expect(all?.['tokens_prompt']).toBeGreaterThan(0)
    expect(all?.['latency_p95_ms']).toBeGreaterThan(0)
    const byDay = await scene.get('/usage?by=day,provider&model=m1')
    expect(byDay.data).toMatchObject([{ provider: 'simulator', requests: 2 }])
    expect(await scene.get('/usage?from=2020-01-01&to=2020-02-01&by=model')).toMatchObject({
      data: [],
      from: '2020-01-01T00:00:00.000Z',
    })
  })

  test('tells of what calls failed, how slow the slowest were, and how it was in the span before', async () => {
    await using scene = await setUp()
    await scene.call('m1')
    await scene.call('m1')
    await scene.call('sim-status-503', 503)
    expect((await scene.get('/usage?by=failure&compare=true')).data).toMatchObject([
      { failure: null, requests: 2, errors: 0 },
      { failure: 'overloaded', requests: 1, errors: 1 },
    ])
    expect((await scene.get('/usage?by=model&failure=overloaded')).data).toMatchObject([{ requests: 1 }])
    const { data, before } = await scene.get('/usage?from=1h&percentiles=true&compare=true')
    const [{ latency_p50_ms: p50, latency_p99_ms: p99, first_token_p99_ms: firstToken }] = data as [Numbers]
    expect(p99).toBeGreaterThanOrEqual(p50 ?? Number.NaN)
    expect(firstToken).toBeGreaterThan(0)
    expect(before).toMatchObject({ data: [{ requests: 0 }] })
    const later = new Date(Date.now() + 3_600_000).toISOString()
    const next = await scene.get(`/usage?from=${later}&to=${later}&compare=true`)
    expect(next).toMatchObject({ data: [{ requests: 0 }], before: { data: [{ requests: 3 }] } })
  })

  test('tells it as CSV', async () => {
    await using scene = await setUp()
    await scene.call('m1')
    const response = await fetch(`${scene.url}/admin/api/usage?by=model&format=csv`)
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    const [head, row, end] = (await response.text()).split('\r\n')
    expect(head).toMatch(/^model,requests,errors,tokens_prompt,.*,usage,usage_nano_usd,/)
    expect(row).toMatch(/^m1,1,0,/)
    expect(end).toBe('')
  })

  test('gives its calls page by page, and each with its attempts', async () => {
    await using scene = await setUp()
    const ids: string[] = []
    for (const model of ['m1', 'm2', 'm1', 'm1', 'm2']) ids.push(await scene.call(model))
    const found: unknown[] = []
    let before = ''
    for (;;) {
      const page = await scene.get(`/calls?limit=2${before}`)
      found.push(...(page.data as Row[]).map(({ id }) => id))
      if (page.next === null) break
      before = `&before=${encodeURIComponent(String(page.next))}`
    }
    expect(found.toSorted()).toEqual(ids.toSorted())
    const some = await scene.get('/calls?model=m2')
    expect((some.data as Row[]).map(({ id }) => id).toSorted()).toEqual([ids[1], ids[4]].toSorted())
    expect((await scene.get('/calls?status=failed')).data).toEqual([])
    expect((await scene.get(`/calls/${ids[0]}`)).data).toMatchObject({
      id: ids[0],
      model: 'm1',
      attempts: [{ outcome: 'ok' }],
      cost_nano_usd: 0,
      settled: null,
    })
  })

  test('takes a moment as the hour that it is in, on the hour too', async () => {
    await using scene = await setUp()
    const hour = '/usage?from=2020-01-01T10:00:00Z&to=2020-01-01T10:00:00Z'
    expect(await scene.get(hour)).toMatchObject({ data: [{ requests: 0 }] })
  })

  test.for([
    ['/usage?by=colour', 'by'],
    ['/usage?from=yesterday', 'from'],
    ['/usage?mdel=m1', 'mdel'],
    ['/usage?from=2026-11-02&to=2026-11-01', 'from'],
    ['/calls?from=2026-11-02&to=2026-11-01', 'from'],
    ['/usage?limit=0', 'limit'],
    ['/calls?limit=5000', 'limit'],
    ['/calls?before=nowhere', 'before'],
    ['/calls?model=a&model=b', 'model'],
  ] as const)('refuses %s, and says which parameter it is', async ([path, param]) => {
    await using scene = await setUp()
    const response = await fetch(`${scene.url}/admin/api${path}`)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { param, type: 'invalid_request_error' } })
  })

  test('knows no call of an id that never was', async () => {
    await using scene = await setUp()
    const response = await fetch(`${scene.url}/admin/api/calls/req_0`)
    expect([response.status, await response.json()]).toMatchObject([
      404,
      { error: { code: 'call_not_found' } },
    ])
  })
})

test('only a management key may read', async () => {
  await using scene = await setUp({
    keys: ['an-inference-key'],
    adminKeys: [
      { key: 'a-key-that-scrapes', role: 'metrics' },
      { key: 'a-key-that-reads', role: 'read' },
    ],
  })
  const statusWith = async (key: string) => {
    const headers = { authorization: `Bearer ${key}` }
    const paths = ['/usage', '/calls', '/calls/req_0']
    return await Promise.all(
      paths.map(async (path) => (await fetch(`${scene.url}/admin/api${path}`, { headers })).status),
    )
  }
  expect(await statusWith('an-inference-key')).toEqual([401, 401, 401])
  expect(await statusWith('a-key-that-scrapes')).toEqual([403, 403, 403])
  expect(await statusWith('a-key-that-reads')).toEqual([200, 200, 404])
})

test('without a ledger it says what to set', async () => {
  await using gateway = await startTestGateway()
  const response = await fetch(`${gateway.url}/admin/api/usage`)
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({
    error: { code: 'no_ledger', message: expect.stringContaining('DATA_DIR') },
  })
})

type Row = Readonly<Record<string, unknown>>
type Numbers = Readonly<Record<string, number>>

type Answer = {
  readonly data: unknown
  readonly by?: unknown
  readonly next?: unknown
  readonly before?: unknown
}

async function setUp(overrides: Parameters<typeof startTestGateway>[0] = {}) {
  const directory = await makeDirectory()
  const ledger = {
    ...{ enabled: true, spoolBytes: 67_108_864, keepCallsDays: 90, keepRollupsDays: 731 },
    durability: 'process' as const,
  }
  const gateway = await startTestGateway({ ledger, dataDirectory: directory.path, ...overrides })
  return {
    url: gateway.url,
    async call(model: string, status = 200): Promise<string> {
      const response = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }),
      })
      expect(response.status).toBe(status)
      await response.text()
      return response.headers.get('x-request-id') ?? ''
    },
    async get(path: string): Promise<Answer> {
      const response = await fetch(`${gateway.url}/admin/api${path}`)
      expect(response.status).toBe(200)
      return (await response.json()) as Answer
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}
