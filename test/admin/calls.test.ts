import { describe, expect, test } from 'vitest'
import { adminKey, type Scene, startScene } from '../console/scene.ts'

const headers = { authorization: `Bearer ${adminKey}` }

describe('calls', () => {
  test('are found by what they are sought by', async () => {
    await using scene = await startScene()
    const [whole, , failedOver, , continued, down, refused] = await scene.calls()
    const found = async (query: string) => (await get(scene, `/calls?${query}`)).data.map(({ id }) => id)
    expect(await found('status=429')).toEqual([refused])
    expect(await found('status=failed')).toEqual([refused, down])
    expect(await found('failure=quota_exhausted')).toEqual([refused])
    expect(await found('deployment=sim-drip-2@spare')).toEqual([failedOver])
    expect(await found('provider=simulator&model=breaks-off')).toEqual([continued])
    expect(await found(`id=${whole}`)).toEqual([whole])
    expect(await found('tags=batch&model=qwen3-32b')).toEqual([failedOver])
    expect(await found('tags=batch,eu')).toEqual([])
    expect(await found('min_cost=1')).toEqual([])
    expect((await found('max_cost=1')).length).toBeGreaterThan(3)
    expect(await found('min_ms=999999')).toEqual([])
    const [row] = (await get(scene, '/calls?model=qwen3-32b')).data
    expect(row).toMatchObject({ key_name: 'research-batch', team: 'research', attempts: 2 })
    expect(await found(`key=${row?.['key_hash']}&model=llama-3.1-8b`)).toHaveLength(1)
  })

  test('are counted over a span, by the same filters', async () => {
    await using scene = await startScene()
    const ids = await scene.calls()
    const sum = async (query: string) => {
      const { data, complete } = await get(scene, `/calls/counts?${query}`)
      const all = (name: 'calls' | 'failed') => data.reduce((total, row) => total + Number(row[name]), 0)
      return { calls: all('calls'), failed: all('failed'), complete }
    }
    const all = { calls: ids.length, failed: 2, complete: true }
    // Counted one by one, and of the sums.
    expect(await sum('from=1h')).toEqual(all)
    expect(await sum('from=7d')).toEqual(all)
    expect(await sum('from=7d&model=llama-3.1-8b')).toEqual({ calls: 3, failed: 1, complete: true })
    expect(await sum('from=7d&max_ms=1000000&status=429')).toEqual({ calls: 1, failed: 1, complete: true })
    expect(await sum('from=7d&tags=batch')).toEqual({ calls: 2, failed: 0, complete: true })
    expect((await get(scene, '/calls/counts?from=30d')).step_seconds).toBe(86_400)
  })

  test.for([
    ['/calls?status=many', 'status'],
    ['/calls?min_cost=cheap', 'min_cost'],
    ['/calls/counts?from=2026-01-02&to=2026-01-01', 'from'],
    ['/calls/live?colour=red', 'colour'],
  ] as const)('%s is refused, and it says which parameter it is', async ([path, param]) => {
    await using scene = await startScene()
    const response = await fetch(`${scene.url}/admin/api${path}`, { headers })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { param } })
  })
})

describe('calls as they end', () => {
  test('are told to who watches, by the filters of the list', async () => {
    await using scene = await startScene()
    await using all = await watch(scene, '')
    await using failed = await watch(scene, '?status=failed')
    await using tagged = await watch(scene, '?tags=batch')
    const answered = await scene.call('mistral-7b')
    const down = await scene.call('always-down')
    expect(await all.rows(2)).toMatchObject([
      { id: answered, status: 200, key_name: 'website-bot', attempts: 1 },
      { id: down, model: 'always-down' },
    ])
    expect(await failed.rows(1)).toMatchObject([{ id: down }])
    const batch = await scene.call('mistral-7b', { key: 'research' })
    expect(await tagged.rows(1)).toMatchObject([{ id: batch }])
  })

  test('are counted where they come faster than they are read', async () => {
    await using scene = await startScene()
    await using all = await watch(scene, '')
    await Promise.all(Array.from({ length: 60 }, () => scene.call('llama-3.1-8b')))
    let seen = 0
    while (seen < 60) {
      const { calls, more } = await all.next()
      expect(calls.length).toBeLessThanOrEqual(5)
      seen += calls.length + more
    }
    expect(seen).toBe(60)
  })

  test('are reported no longer than the gateway serves: it stops at once', async () => {
    const scene = await startScene()
    const all = await watch(scene, '')
    await scene[Symbol.asyncDispose]()
    expect(await all.ended()).toBe(true)
  })
})

type Row = Readonly<Record<string, unknown>>

/** The fields of the answers that these tests read. */
type Listing = { readonly data: readonly Row[]; readonly complete: boolean; readonly step_seconds: number }

async function get(scene: Scene, path: string): Promise<Listing> {
  const response = await fetch(`${scene.url}/admin/api${path}`, { headers })
  expect(response.status).toBe(200)
  return (await response.json()) as Listing
}

type News = { readonly calls: readonly Row[]; readonly more: number }

async function watch(scene: Scene, query: string) {
  const leaving = new AbortController()
  const response = await fetch(`${scene.url}/admin/api/calls/live${query}`, {
    headers,
    signal: leaving.signal,
  })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const pieces = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const next = async (): Promise<News> => {
    for (;;) {
      const event = /data: (.*)\n\n/.exec(text)
      if (event !== null) {
        text = text.slice(event.index + event[0].length)
        return JSON.parse(event[1] ?? '') as News
      }
      const { value, done } = await pieces.read()
      if (done) throw new Error('It ended.')
      text += value
    }
  }
  return {
    next,
    async rows(count: number): Promise<readonly Row[]> {
      const rows: Row[] = []
      while (rows.length < count) rows.push(...(await next()).calls)
      return rows
    },
    async ended(): Promise<boolean> {
      for (;;) if ((await pieces.read()).done) return true
    },
    async [Symbol.asyncDispose]() {
      leaving.abort()
    },
  }
}
