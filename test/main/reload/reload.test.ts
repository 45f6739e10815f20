import { describe, expect, test } from 'vitest'
import { type Config, loadConfig } from '../../../src/config.ts'
import { createReload } from '../../../src/main/reload/reload.ts'
import { providers } from '../../../src/providers/all.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { inTest, simulatorConfig, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { onlyFile } from '../../harness/only-file.ts'
import {
  answer,
  chunk,
  lastChunk,
  type RawServer,
  startRawServer,
  streamHead,
} from '../../harness/raw-server.ts'
import { asJson } from '../upstreams/asking.ts'

describe('a call in flight', () => {
  test('ends where it began, and then its upstream is let go', async () => {
    await using one = await startUpstream('one')
    await using two = await startUpstream('two')
    await using gateway = await startTestGateway(configOf(one))
    const stream = await ask(gateway, { stream: true })
    const { socket } = await one.arrival(1)
    gateway.gateway.reload(() => configOf(two))
    expect(await (await ask(gateway)).text()).toContain('from two')
    expect(one.open).toBe(1)
    for (const piece of [delta('one, to the end', 'stop'), 'data: [DONE]\n\n']) socket.write(chunk(piece))
    socket.write(lastChunk)
    expect(await stream.text()).toMatch(/from one.*one, to the end.*\[DONE\]/s)
    await one.idle()
    expect(await (await ask(gateway)).text()).toContain('from two')
  })

  test('of twenty configurations fails in none of the changes', async () => {
    await using one = await startUpstream('one')
    await using two = await startUpstream('two')
    const configs = [configOf(one), configOf(two)] as const
    await using gateway = await startTestGateway(configs[0])
    let isOver = false
    const callers = Array.from({ length: 8 }, async () => {
      const seen: string[] = []
      while (!isOver) {
        const response = await ask(gateway)
        seen.push(`${response.status} ${/from \w+/.exec(await response.text())?.[0]}`)
      }
      return seen
    })
    for (let reload = 1; reload <= 20; reload++) {
      gateway.gateway.reload(() => configs[reload % 2] ?? configs[0])
      const until = gateway.records.length + 20
      await gateway.recorded(until)
    }
    isOver = true
    const seen = (await Promise.all(callers)).flat()
    expect(seen.length).toBeGreaterThanOrEqual(400)
    expect(new Set(seen)).toEqual(new Set(['200 from one', '200 from two']))
    // The last of them is the first: the other has been let go, however often it was taken up.
    await two.idle()
    expect(one.open).toBeGreaterThan(0)
  })
})

test('keys of the new configuration are asked for, those of the old are not', async () => {
  await using one = await startUpstream('one')
  await using gateway = await startTestGateway(configOf(one, { auth: { keys: [oldKey] } }))
  const statuses = () =>
    Promise.all([oldKey, newKey].map(async (key) => (await ask(gateway, {}, key)).status))
  expect(await statuses()).toEqual([200, 401])
  gateway.gateway.reload(() => configOf(one, { auth: { keys: [newKey] } }))
  expect(await statuses()).toEqual([401, 200])
})

describe('what is not taken leaves everything as it is, and says so', () => {
  test.for<[string, () => Config, RegExp]>([
    [
      'a file that is wrong',
      () => configOfFile({ limits: { fanOut: 0 } }),
      /gateway\.yaml:1: limits\.fanOut: found 0, expected a whole number from 1 to 256/,
    ],
    [
      'a bug',
      () => {
        throw new TypeError('surprise')
      },
      /"type":"TypeError","message":"surprise"/,
    ],
    [
      'a file that is gone',
      () => loadConfig({ environment: {}, readFile: absent, providers }),
      /gateway\.yaml: is gone/,
    ],
  ])('%s', async ([, read, told]) => {
    await using one = await startUpstream('one')
    await using gateway = await startTestGateway(configOf(one))
    expect(await configurationOf(gateway)).toMatchObject({ refused: false })
    gateway.gateway.reload(read)
    expect(gateway.logged()).toMatch(told)
    expect(gateway.logged()).toContain('the configuration was refused; the last valid one stays in use')
    expect(await configurationOf(gateway)).toMatchObject({ refused: true })
    expect(await metricsOf(gateway)).toMatchObject({
      pandotate_config_reload_failures_total: 1,
      pandotate_config_last_reload_successful: 0,
      pandotate_config_reloads_total: 0,
    })
    expect((await ask(gateway)).status).toBe(200)
    gateway.gateway.reload(() => ({ ...configOf(one), strict: true }))
    expect(await configurationOf(gateway)).toMatchObject({ refused: false })
    expect(await metricsOf(gateway)).toMatchObject({
      pandotate_config_last_reload_successful: 1,
      pandotate_config_reloads_total: 1,
    })
  })

  // Of an address that others can reach, without listening on it.
  test.for<[string, Partial<Config>, boolean]>([
    ['no keys for an address that others can reach', { host: '127.0.0.1' }, false],
    ['keys for it', { host: '127.0.0.1', keys: [newKey] }, true],
    ['leave to do without', { allowUnauthenticated: true }, true],
  ])('%s', ([, offered, isTaken]) => {
    const inUse = { ...simulatorConfig, host: '0.0.0.0', keys: [oldKey] }
    const lines: string[] = []
    const log = createLog('info', { write: (line) => void lines.push(line) })
    const taken: Config[] = []
    const clock = { now: () => 0, epochMs: () => 0 }
    const reload = createReload({
      first: inUse,
      current: () => inUse,
      take: (config) => void taken.push(config),
      clock,
      log,
    })
    reload.run(() => ({ ...simulatorConfig, ...offered }))
    expect(taken.map(({ host }) => host)).toEqual(isTaken ? ['0.0.0.0'] : [])
    expect(reload.report().isRefused).toBe(!isTaken)
    expect(lines.join('').includes('server.host: found no keys in auth.keys')).toBe(!isTaken)
  })

  test('never names a secret', async () => {
    await using one = await startUpstream('one')
    await using gateway = await startTestGateway(configOf(one))
    gateway.gateway.reload(() => configOfFile({ auth: { keys: ['s3cr3t'] } }))
    expect(gateway.logged()).toMatch(/auth\.keys\[0]: found a secret of 6 characters/)
    expect(gateway.logged()).not.toContain('s3cr3t')
  })
})

test('another address is for a restart, and the rest is taken', async () => {
  await using one = await startUpstream('one')
  await using two = await startUpstream('two')
  await using gateway = await startTestGateway(configOf(one))
  gateway.gateway.reload(() => ({ ...configOf(two), port: 9, host: '127.0.0.2', logLevel: 'warn' }))
  expect(await (await ask(gateway)).text()).toContain('from two')
  const lines = gateway.logged().split('\n')
  expect(lines.filter((line) => line.includes('restart'))).toEqual([
    expect.stringMatching(/"setting":"server\.host","inUse":"127\.0\.0\.1","wanted":"127\.0\.0\.2"/),
    expect.stringMatching(/"setting":"server\.port","inUse":0,"wanted":9/),
  ])
  // Nor is a call logged now, which is of level info.
  await gateway.recorded()
  expect(gateway.logged()).not.toContain('"msg":"call"')
})

test('a configuration that says the same is none', async () => {
  await using one = await startUpstream('one')
  await using gateway = await startTestGateway(configOf(one))
  const before = await configurationOf(gateway)
  gateway.gateway.reload(() => inTest(configOf(one)))
  expect(gateway.logged()).toContain('the configuration has not changed')
  expect(await configurationOf(gateway)).toEqual(before)
})

test('what was counted, kept and learnt continues, but for a provider that was changed', async () => {
  await using one = await startUpstream('one')
  await using sick = await startRawServer((socket) => socket.destroy())
  const withSick = (retryDelayMs: number): Config =>
    configOfFile({
      providers: { one: at(one), sick: { ...at(sick), retryDelayMs } },
      models: { m: { deployments: [{ provider: 'one' }] }, n: { deployments: [{ provider: 'sick' }] } },
    })
  await using gateway = await startTestGateway(withSick(1))
  const answered = await ask(gateway)
  for (let call = 0; call < 5; call++) await ask(gateway, { model: 'n' })
  const breakerOf = async (id: string) => {
    const response = await fetch(`${gateway.url}/admin/api/deployments`)
    const { data } = (await response.json()) as { data: { id: string; breaker: string; attempts: number }[] }
    return data.find((report) => report.id === id)
  }
  // Half-open on a slow machine: the time until its first trial is over.
  const isOpened = { breaker: expect.not.stringContaining('closed') }
  expect(await breakerOf('n@sick')).toMatchObject(isOpened)
  gateway.gateway.reload(() => ({ ...withSick(1), strict: true }))
  expect(await breakerOf('n@sick')).toMatchObject(isOpened)
  expect(await breakerOf('m@one')).toMatchObject({ attempts: 1 })
  gateway.gateway.reload(() => withSick(2))
  expect(await breakerOf('n@sick')).toMatchObject({ breaker: 'closed', attempts: 0 })
  expect(await breakerOf('m@one')).toMatchObject({ attempts: 1 })
  const id = answered.headers.get('x-request-id')
  const own = { headers: { authorization: 'Bearer none' } }
  expect((await fetch(`${gateway.url}/v1/generation?id=${id}`, own)).status).toBe(200)
  const calls = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(calls).toMatch(/pandotate_calls_total\{dialect="chat",status="200",outcome="ok"\} 1\n/)
})

const oldKey = 'sk-gateway-of-the-old'
const newKey = 'sk-gateway-of-the-new'

/** Answers a chat in its name, and leaves a stream open after its first words. */
function startUpstream(name: string): Promise<RawServer> {
  const message = { role: 'assistant', content: `from ${name}` }
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
  const whole = { id: 'x', object: 'chat.completion', created: 1, model: 'm', usage }
  const reply = JSON.stringify({ ...whole, choices: [{ index: 0, message, finish_reason: 'stop' }] })
  return startRawServer((socket, { body }) => {
    if (JSON.parse(body).stream === true) socket.write(streamHead() + chunk(delta(`from ${name}`, null)))
    else socket.write(answer(reply))
  })
}

function delta(content: string, reason: string | null): string {
  const choices = [{ index: 0, delta: { role: 'assistant', content }, finish_reason: reason }]
  return `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n\n`
}

function at({ origin }: RawServer) {
  return { type: 'openai-compatible', baseUrl: `${origin}/v1`, retries: 0 }
}

function configOf(upstream: RawServer, sections: object = {}): Config {
  const models = { m: { deployments: [{ provider: 'upstream' }] } }
  return configOfFile({
    providers: { upstream: at(upstream) },
    models,
    catalog: { lists: false },
    ...sections,
  })
}

function configOfFile(file: object): Config {
  const environment = { GATEWAY_CONFIG: 'gateway.yaml', PORT: '0' }
  const config = loadConfig({
    environment,
    readFile: onlyFile(JSON.stringify({ ledger: { enabled: false }, ...file })),
    providers,
  })
  // As the gateway was started: upstreams are not asked for their models.
  return { ...config, catalog: { ...config.catalog, lists: false } }
}

function absent(): never {
  throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
}

function ask({ url }: TestGateway, body: object = {}, key = 'none'): Promise<Response> {
  const messages = [{ role: 'user', content: 'x' }]
  const headers = { authorization: `Bearer ${key}` }
  return fetch(`${url}/v1/chat/completions`, asJson({ model: 'm', messages, ...body }, headers))
}

async function configurationOf({ url }: TestGateway): Promise<unknown> {
  const { configuration } = (await (await fetch(`${url}/health`)).json()) as { configuration: unknown }
  return configuration
}

async function metricsOf({ url }: TestGateway): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Object.fromEntries(
    [...text.matchAll(/^(\w+) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]),
  )
}
