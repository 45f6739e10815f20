import { expect, test } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import { providers } from '../../../src/providers/all.ts'
import { simulateBaseten } from '../../../src/simulator/baseten/baseten.ts'
import { simulateRunpod } from '../../../src/simulator/runpod/runpod.ts'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { onlyFile } from '../../harness/only-file.ts'
import { answer, deadOrigin, startRawServer } from '../../harness/raw-server.ts'

const anywhere = { host: '127.0.0.1', port: 0 }

test('a RunPod that is scaled to zero sleeps on, and is ready once a call has woken it', async () => {
  await using server = await simulateRunpod({ ...anywhere, workers: 2 })
  const given = { type: 'runpod', baseUrl: `${server.origin}/v2`, endpointId: 'ep1', mode: 'jobs' }
  await using gateway = await start({ place: given })
  while (server.hits() < 7) await reportOf(gateway)
  const asleep = await reportOf(gateway)
  const told = { failure: null, queued: 0, idle_workers: 0, busy_workers: 0 }
  expect(asleep).toMatchObject({ breaker: 'closed', failures_in_a_row: 0, attempts: 0 })
  expect(asleep.probe).toMatchObject({ outcome: 'asleep', ready: false, ...told })
  expect(new Set(server.requests.map(({ method, path }) => `${method} ${path}`))).toEqual(
    new Set(['GET /v2/ep1/health']),
  )
  await call(gateway)
  const ready = await reported(gateway, ({ probe }) => probe?.ready === true)
  expect(ready).toMatchObject({ breaker: 'closed', attempts: 1, answered: 1, success_rate: 1 })
  expect(ready.probe).toMatchObject({ outcome: 'ready', queued: 0, idle_workers: 1, busy_workers: 0 })
  expect(await metricsOf(gateway)).toContain('pandotate_deployment_ready{deployment="sim-echo@place"} 1\n')
})

test('a server that says it is not ready gets no calls, though none has failed', async () => {
  await using server = await startRawServer((socket, { path }) => {
    socket.write(path === '/health' ? answer('{}', { status: 503 }) : answer('{}', { status: 500 }))
  })
  const sick = { type: 'openai-compatible', preset: 'vllm', baseUrl: `${server.origin}/v1` }
  await using gateway = await start({ place: sick, other: { type: 'simulator' } })
  const report = await reported(gateway, ({ breaker }) => breaker === 'open')
  expect(report).toMatchObject({ attempts: 0, failed: 0, success_rate: 1, failures_in_a_row: 5 })
  expect(report.probe).toMatchObject({ outcome: 'unready', ready: false, failure: null })
  expect((await call(gateway)).headers.get('x-pandotate-provider')).toBe('other')
  expect(await metricsOf(gateway)).toMatch(/^pandotate_deployment_ready\{deployment="sim-echo@place"\} 0$/m)
})

test('one that cannot be reached is reported as such', async () => {
  const origin = await deadOrigin()
  await using gateway = await start({
    place: { type: 'openai-compatible', preset: 'vllm', baseUrl: `${origin}/v1` },
  })
  const { probe } = await reported(gateway, ({ breaker }) => breaker === 'open')
  expect(probe).toMatchObject({ outcome: 'failed', failure: 'unreachable' })
})

test('one that is silent is waited for no longer than it is given, and left when the gateway stops', async () => {
  await using server = await startRawServer(() => undefined)
  const silent = { type: 'openai-compatible', preset: 'vllm', baseUrl: `${server.origin}/v1` }
  {
    await using gateway = await start({ place: silent }, { timeoutMs: 20 })
    const { probe } = await reported(gateway, ({ failures_in_a_row: failures }) => failures >= 2)
    expect(probe).toMatchObject({ outcome: 'failed', failure: 'timeout' })
    await server.arrival(server.requests.length + 1)
    expect(server.open).toBe(1)
  }
  await server.idle()
  const { length } = server.requests
  await new Promise(setImmediate)
  expect(server.requests).toHaveLength(length)
})

test('one that is silent for ever does not keep the gateway from stopping', async () => {
  await using server = await startRawServer(() => undefined)
  const silent = { type: 'openai-compatible', preset: 'vllm', baseUrl: `${server.origin}/v1` }
  {
    await using _gateway = await start({ place: silent }, { timeoutMs: 86_400_000 })
    await server.arrival(1)
  }
  await server.idle()
  expect(server.requests).toHaveLength(1)
})

test('a Baseten deployment is not woken by being asked how it is', async () => {
  await using asleep = await simulateBaseten({ ...anywhere, coldMs: Number.POSITIVE_INFINITY })
  await using well = await startRawServer((socket) => socket.write(answer('{}')))
  const deployment = { model: 'abc123' }
  await using gateway = await start({
    place: { type: 'baseten', baseUrl: asleep.origin, deployment, healthPath: '/health' },
    other: { type: 'openai-compatible', preset: 'vllm', baseUrl: `${well.origin}/v1` },
  })
  await well.arrival(3)
  expect(asleep.hits()).toBe(0)
  expect((await reportOf(gateway)).probe).toBeNull()
  expect(gateway.logged()).toContain('"asked":["other"],"notAsked":["place"]')
})

test('nobody is asked where probes are off, which they are by default', async () => {
  await using server = await startRawServer((socket) => socket.write(answer('{}')))
  const config = load({
    providers: { place: { type: 'openai-compatible', preset: 'vllm', baseUrl: `${server.origin}/v1` } },
    models: { m: { deployments: [{ provider: 'place' }] } },
  })
  expect(config.probes).toEqual({ enabled: false, intervalMs: 30_000, timeoutMs: 5000 })
  await using gateway = await startTestGateway(config)
  expect(gateway.logged()).not.toContain('probing')
})

/** Model `m` at these places, in their order, each asked every other millisecond. */
function start(places: Readonly<Record<string, object>>, probes: object = {}): Promise<TestGateway> {
  const deployments = Object.keys(places).map((provider) => ({ provider, model: 'sim-echo', retries: 0 }))
  const config = load({
    providers: places,
    models: { m: { deployments } },
    probes: { enabled: true, intervalMs: 2, ...probes },
  })
  return startTestGateway(config)
}

function load(file: object) {
  return loadConfig({
    environment: { GATEWAY_CONFIG: 'gateway.yaml', PORT: '0' },
    readFile: onlyFile(JSON.stringify(file)),
    providers,
  })
}

type Report = {
  readonly breaker: string
  readonly failures_in_a_row: number
  readonly probe: { readonly outcome: string; readonly ready: boolean } | null
}

/** The report on the first place. */
async function reportOf(gateway: TestGateway): Promise<Report> {
  const response = await fetch(`${gateway.url}/admin/api/deployments`)
  const { data } = (await response.json()) as { readonly data: readonly [Report, ...Report[]] }
  return data[0]
}

/** The same, once it is as it should be; the test's own time limit ends a wait without success. */
async function reported(gateway: TestGateway, isIt: (report: Report) => boolean): Promise<Report> {
  let report = await reportOf(gateway)
  while (!isIt(report)) report = await reportOf(gateway)
  return report
}

async function call(gateway: TestGateway): Promise<Response> {
  const response = await fetch(`${gateway.url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', prompt: 'one two' }),
  })
  expect(response.status, await response.text()).toBe(200)
  return response
}

async function metricsOf(gateway: TestGateway): Promise<string> {
  return await (await fetch(`${gateway.url}/metrics`)).text()
}
