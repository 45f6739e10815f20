import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openSqliteStore } from '../../../src/ledger/store/sqlite/sqlite-store.ts'
import { type GatewayProcess, startGateway, workersOf } from '../gateway-process.ts'
import { startHeldUpstream } from '../held-upstream.ts'

// Each of these gateways is three processes, and a machine may be busy with others.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

/** The short form: `npm run test:workers` runs every acceptance suite against two workers. */
const environment = { WORKERS: '2' }
const admin = 'gw-admin-key-0123456789'
const simulated = "models: { '*': { deployments: [{ provider: simulator }] } }\n"

describe('two workers are one gateway', () => {
  let gateway: GatewayProcess
  beforeAll(async () => {
    const file = `auth: { adminKeys: [{ key: ${admin}, role: admin }] }\n${simulated}`
    gateway = await startGateway({ environment, file })
  })
  afterAll(() => gateway[Symbol.asyncDispose]())

  test('which starts once, and has two more processes', async () => {
    await gateway.line(({ msg }) => msg === 'serving')
    expect(gateway.log().filter(({ msg }) => msg === 'serving')).toMatchObject([{ workers: 2 }])
    expect(gateway.stderr().match(/Try it/g)).toHaveLength(1)
    expect(workersOf(gateway)).toHaveLength(2)
  })

  test('a key is good, and bad, everywhere as soon as who changed it knows', async () => {
    const { key, hash } = await createKey(gateway, {})
    expect(await statuses(gateway, key, 12)).toEqual(new Set([200]))
    await manage(gateway, 'PATCH', `/keys/${hash}`, { disabled: true })
    expect(await statuses(gateway, key, 12)).toEqual(new Set([401]))
  })

  test('a limit of requests holds for all workers together', async () => {
    const { key } = await createKey(gateway, { rpm: 10 })
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(gateway, key)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(30)
  })

  test('a call is looked up at any worker, by whom it belongs to alone', async () => {
    const { key } = await createKey(gateway, {})
    const other = await createKey(gateway, {})
    const id = (await ask(gateway, key)).headers.get('x-request-id')
    const found = async (bearer: string) => {
      const path = `/v1/generation?id=${id}`
      const answers = await Promise.all(Array.from({ length: 8 }, () => get(gateway, path, bearer)))
      return new Set(answers.map(({ status }) => status))
    }
    expect(await found(key)).toEqual(new Set([200]))
    expect(await found(other.key)).toEqual(new Set([404]))
  })

  test('the metrics are sums, and management is one', async () => {
    const before = await countOf(gateway, 'pandotate_calls_total{dialect="chat",status="200",outcome="ok"}')
    const { key, hash } = await createKey(gateway, {})
    await statuses(gateway, key, 20)
    const after = await countOf(gateway, 'pandotate_calls_total{dialect="chat",status="200",outcome="ok"}')
    expect(after - before).toBe(20)
    await expect
      .poll(async () => (await manage(gateway, 'GET', `/keys/${hash}`)).data['last_used_at'])
      .not.toBeNull()
    const deployments = (await manage(gateway, 'GET', '/deployments'))
      .data as unknown as readonly Deployment[]
    expect(deployments.find(({ id }) => id.endsWith('simulator'))?.attempts).toBeGreaterThanOrEqual(20)
  })

  test('a deployment is out of use everywhere as soon as it is drained', async () => {
    const { key } = await createKey(gateway, {})
    await manage(gateway, 'POST', '/deployments/*@simulator/drain', {})
    expect(await statuses(gateway, key, 8)).toEqual(new Set([503]))
    await manage(gateway, 'DELETE', '/deployments/*@simulator/drain')
    expect(await statuses(gateway, key, 8)).toEqual(new Set([200]))
  })
})

test('a worker that is killed under load is replaced: what callers saw is recorded, the others continue', async () => {
  await using gateway = await startGateway({ environment, file: simulated })
  const seen: string[] = []
  let isOver = false
  const lost: unknown[] = []
  const callers = Array.from({ length: 12 }, async () => {
    while (!isOver) {
      const answer = await ask(gateway, 'unused').catch((error: unknown) => void lost.push(error))
      if (answer?.status === 200) seen.push(answer.headers.get('x-request-id') ?? '')
      else if (answer !== undefined) lost.push(answer.status)
    }
  })
  await expect.poll(() => seen.length).toBeGreaterThan(50)
  const [first = 0] = workersOf(gateway)
  process.kill(first, 'SIGKILL')
  await gateway.line(({ msg }) => msg.startsWith('a worker ended'))
  await expect.poll(() => workersOf(gateway).length).toBe(2)
  const aim = seen.length + 50
  await expect.poll(() => seen.length).toBeGreaterThan(aim)
  isOver = true
  await Promise.all(callers)
  // No more than what was running on the connections of that one.
  expect(lost.length).toBeLessThanOrEqual(12)
  expect((await gateway.stop()).code).toBe(0)
  await using store = openSqliteStore(join(gateway.directory, 'data', 'ledger.db'))
  const stored = (await store.calls({ filters: {}, limit: 1_000_000 })).calls.map(
    ({ call }) => call.requestId,
  )
  expect(new Set(stored).size).toBe(stored.length)
  expect(seen.filter((id) => !stored.includes(id))).toEqual([])
})

test('what a killed worker held is uncertain, after a restart too', async () => {
  await using upstream = await startHeldUpstream()
  const file = `
auth: { adminKeys: [{ key: ${admin}, role: admin }] }
providers: { held: { type: openai-compatible, baseUrl: '${new URL(upstream.url).origin}/v1', apiKey: sk-held-0123456789 } }
models:
  m: { deployments: [{ provider: held, price: { input: 10, output: 10 } }] }
`
  const first = await startGateway({ environment, file })
  const { key, hash } = await createKey(first, { limit: 5, concurrency: 1 })
  const asking = ask(first, key, { model: 'm', max_tokens: 1000 }).catch(() => 'cut')
  const of = async (gateway: GatewayProcess) => (await manage(gateway, 'GET', `/keys/${hash}`)).data
  await expect.poll(async () => (await of(first))['held_nano_usd']).toBeGreaterThan(0)
  const held = (await of(first))['held_nano_usd'] as number
  expect((await ask(first, key, { model: 'm' })).status).toBe(429)
  for (const pid of workersOf(first)) process.kill(pid, 'SIGKILL')
  expect(await asking).toBe('cut')
  const answered = () => of(first).catch(() => ({}) as Row)
  await expect.poll(async () => (await answered())['held_nano_usd']).toBe(0)
  expect(await of(first)).toMatchObject({ held_nano_usd: 0, uncertain_nano_usd: held })
  first.kill()
  await first.ended
  await using second = await startGateway({ environment, file, directory: first.directory })
  expect(await of(second)).toMatchObject({ held_nano_usd: 0, uncertain_nano_usd: held })
})

test('when the primary is killed, the workers end', async () => {
  const gateway = await startGateway({ environment })
  const workers = workersOf(gateway)
  gateway.kill()
  await gateway.ended
  await expect.poll(() => workers.filter(isAlive)).toEqual([])
})

test('a provider gets as many calls at once as its concurrency says, from all workers together', async () => {
  const release: (() => void)[] = []
  await using upstream = await startHeldUpstream((response) => {
    release.push(() => response.end(JSON.stringify({ status: 'success', output: 'Hello' })))
  })
  const file = 'providers: { pandotate: { concurrency: 2 } }\ncatalog: { lists: false }\n'
  const given = { ...environment, PANDOTATE_URL: upstream.url, PANDOTATE_API_KEY: 'pk_x' }
  await using gateway = await startGateway({ environment: given, file })
  const calls = 8
  // Half of them while one worker stands still, half while the other does: each has some.
  const [one = 0, other = 0] = workersOf(gateway)
  process.kill(one, 'SIGSTOP')
  const first = Array.from({ length: calls / 2 }, () => ask(gateway, 'unused'))
  await upstream.arrived(2)
  process.kill(other, 'SIGSTOP')
  process.kill(one, 'SIGCONT')
  const second = Array.from({ length: calls / 2 }, () => ask(gateway, 'unused'))
  process.kill(other, 'SIGCONT')
  await expect.poll(() => countOf(gateway, 'pandotate_calls_in_flight ')).toBe(calls)
  for (let answered = 0; answered < calls; answered++) {
    await upstream.arrived(Math.min(calls, answered + 2))
    expect(upstream.requests.length).toBeLessThanOrEqual(answered + 2)
    release.shift()?.()
  }
  expect((await Promise.all([...first, ...second])).map(({ status }) => status)).toEqual(
    Array.from({ length: calls }, () => 200),
  )
  // The places of a worker that is killed are there for the others.
  const cut = Array.from({ length: 2 }, () => ask(gateway, 'unused').catch(() => 'cut'))
  await upstream.arrived(calls + 2)
  const waiting = ask(gateway, 'unused').catch(() => 'cut')
  process.kill(one, 'SIGKILL')
  await gateway.line(({ msg }) => msg.startsWith('a worker ended'))
  for (let ended = 0; ended < 3; ended = (await settledOf([...cut, waiting])).length) {
    for (const end of release.splice(0)) end()
  }
})

test('one idempotency key at all workers makes one call', async () => {
  await using upstream = await startHeldUpstream((response) => {
    setTimeout(() => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ status: 'success', output: 'once' }))
    }, 200)
  })
  const given = { ...environment, PANDOTATE_URL: upstream.url, PANDOTATE_API_KEY: 'pk_x' }
  await using gateway = await startGateway({ environment: given })
  const headers = { 'idempotency-key': 'the-same-key' }
  const answers = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const answer = await ask(gateway, 'unused', { temperature: 1 }, headers)
      return { status: answer.status, text: await answer.text() }
    }),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  expect(upstream.requests).toHaveLength(1)
})

test('no worker is ready while the gateway admits no calls, because Redis is unavailable', async () => {
  const file = `${simulated}shared: { onLoss: closed }\n`
  const given = { ...environment, REDIS_URL: 'redis://127.0.0.1:1' }
  await using gateway = await startGateway({ environment: given, file })
  const answers = await Promise.all(Array.from({ length: 8 }, () => get(gateway, '/readyz', 'unused')))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
  expect(new Set(await Promise.all(answers.map((answer) => answer.json())))).toContainEqual({
    status: 'shared_away',
  })
})

type Row = Readonly<Record<string, unknown>>
type Deployment = { readonly id: string; readonly attempts: number }

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** On a connection of its own: the next one is the next worker's. */
function ask(
  { url }: GatewayProcess,
  key: string,
  body: object = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${key}`,
      connection: 'close',
      ...headers,
    },
    body: JSON.stringify({ model: 'sim-echo', messages: [{ role: 'user', content: 'Hello' }], ...body }),
  })
}

async function statuses(gateway: GatewayProcess, key: string, count: number): Promise<Set<number>> {
  const answers = await Promise.all(Array.from({ length: count }, () => ask(gateway, key)))
  await Promise.all(answers.map((answer) => answer.text()))
  return new Set(answers.map(({ status }) => status))
}

/** Those that have an outcome now. */
async function settledOf(promises: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  const pending = new Promise((resolve) => setImmediate(resolve, 'pending'))
  const now = await Promise.all(promises.map((promise) => Promise.race([promise, pending])))
  return now.filter((outcome) => outcome !== 'pending')
}

function get({ url }: GatewayProcess, path: string, key: string): Promise<Response> {
  return fetch(url + path, { headers: { authorization: `Bearer ${key}`, connection: 'close' } })
}

async function manage(gateway: GatewayProcess, method: string, path: string, body?: object) {
  const response = await fetch(`${gateway.url}/admin/api${path}`, {
    method,
    headers: {
      authorization: `Bearer ${admin}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer = (await response.json()) as { readonly data: Row; readonly key?: string }
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
  return answer
}

async function createKey(gateway: GatewayProcess, settings: object) {
  const { data, key = '' } = await manage(gateway, 'POST', '/keys', { name: 'a-key', ...settings })
  return { key, hash: data['hash'] as string }
}

async function countOf(gateway: GatewayProcess, series: string): Promise<number> {
  const text = await (await get(gateway, '/metrics', admin)).text()
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(series))
      ?.split(' ')
      .at(-1) ?? 0,
  )
}
