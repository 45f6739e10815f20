import { expect, test } from 'vitest'
import { type Config, loadConfig } from '../../src/config.ts'
import type { CallLine } from '../../src/core/model/record/call-line.ts'
import { providers } from '../../src/providers/all.ts'
import { simulateTogether } from '../../src/simulator/together/together.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { onlyFile } from '../harness/only-file.ts'

const chat = { model: 'm', messages: [{ role: 'user', content: 'one two three' }] }

test('the line of a call and its generation tell why it went where it went', async () => {
  await using scene = await openScene([
    { provider: 'one', model: 'x/sim-status-401', price: { input: 1, output: 1 } },
    { provider: 'two', model: 'x/sim-echo', price: { input: 2, output: 2 } },
    { provider: 'one', model: 'x/sim-small', price: { input: 3, output: 3 }, contextTokens: 10 },
  ])
  const { id } = await scene.ask({ ...chat, max_tokens: 50 })
  const line = await scene.line(id)
  expect(line).toMatchObject({
    strategy: 'cheapest',
    route: 'm',
    plan: ['x/sim-status-401@one', 'x/sim-echo@two'],
    leftOut: [{ deployment: 'x/sim-small@one', why: 'context' }],
    expected: [
      { deployment: 'x/sim-status-401@one', nanoUsd: expect.any(Number) },
      { deployment: 'x/sim-echo@two', nanoUsd: expect.any(Number) },
    ],
    attempts: [
      {
        deployment: 'x/sim-status-401@one',
        outcome: 'upstream_auth',
        code: 'upstream_auth_error',
        operatorNote: expect.stringContaining('one'),
      },
      { deployment: 'x/sim-echo@two', outcome: 'ok' },
    ],
  })
  expect(line.attempts[1]).not.toHaveProperty('operatorNote')
  const [dear, cheap] = [line.expected?.[1]?.nanoUsd ?? 0, line.expected?.[0]?.nanoUsd ?? 0]
  expect(dear).toBe(cheap * 2)
  expect(await scene.generation(id)).toMatchObject({
    strategy: 'cheapest',
    route: 'm',
    plan: ['x/sim-status-401@one', 'x/sim-echo@two'],
    left_out: [{ deployment: 'x/sim-small@one', why: 'context' }],
    expected_cost: [
      { deployment: 'x/sim-status-401@one', nano_usd: cheap },
      { deployment: 'x/sim-echo@two', nano_usd: dear },
    ],
    attempts: [{ operator_note: expect.stringContaining('one'), cause_code: null }, { operator_note: null }],
  })
  // The breaker is open now: the next call does not plan with it.
  const second = await scene.ask({ ...chat, max_tokens: 50 })
  expect(await scene.line(second.id)).toMatchObject({
    plan: ['x/sim-echo@two'],
    leftOut: [
      { deployment: 'x/sim-small@one', why: 'context' },
      { deployment: 'x/sim-status-401@one', why: 'breaker' },
    ],
  })
})

test('a connection that is refused is reported by its code with each attempt', async () => {
  await using scene = await openScene([{ provider: 'nowhere', model: 'x/sim-echo' }])
  const { id, status } = await scene.ask(chat)
  expect(status).toBe(502)
  expect(await scene.line(id)).toMatchObject({
    strategy: 'cheapest',
    attempts: [{ outcome: 'unreachable', causeCode: 'ECONNREFUSED' }],
  })
  expect((await scene.generation(id))['attempts']).toMatchObject([{ cause_code: 'ECONNREFUSED' }])
})

type Scene = AsyncDisposable & {
  readonly gateway: TestGateway
  ask(body: object): Promise<{ readonly id: string; readonly status: number }>
  line(id: string): Promise<CallLine>
  generation(id: string): Promise<Readonly<Record<string, unknown>>>
}

/** One route, `m`, by the lowest price, over two servers and one that is not there. */
async function openScene(deployments: readonly object[]): Promise<Scene> {
  const [one, two] = [await openServer(), await openServer()]
  const at = (origin: string) => ({ type: 'together', baseUrl: `${origin}/v1`, retries: 0 })
  const config = configOf({
    providers: { one: at(one.origin), two: at(two.origin), nowhere: at('http://127.0.0.1:1') },
    models: { m: { route: 'cheapest', deployments } },
  })
  const gateway = await startTestGateway(config)
  let calls = 0
  return {
    gateway,
    async ask(body) {
      const headers = { 'content-type': 'application/json' }
      const request = { method: 'POST', headers, body: JSON.stringify(body) }
      const response = await fetch(`${gateway.url}/v1/chat/completions`, request)
      await response.text()
      await gateway.recorded(++calls)
      return { id: response.headers.get('x-request-id') ?? '', status: response.status }
    },
    async line(id) {
      const lines = gateway.logged().trim().split('\n')
      const line = lines
        .map((text) => JSON.parse(text))
        .find(({ requestId, msg }) => requestId === id && msg === 'call')
      return line as CallLine
    },
    async generation(id) {
      const response = await fetch(`${gateway.url}/v1/generation?id=${id}`)
      return ((await response.json()) as { data: Readonly<Record<string, unknown>> }).data
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await one[Symbol.asyncDispose]()
      await two[Symbol.asyncDispose]()
    },
  }
}

async function openServer() {
  const common = { type: 'chat', engine: 'b', input: 1, output: 1, contextTokens: 32_768 } as const
  const models = ['x/sim-status-401', 'x/sim-echo', 'x/sim-small'].map((id) => ({ id, ...common }))
  return await simulateTogether({ host: '127.0.0.1', port: 0, models })
}

function configOf(file: object): Config {
  return loadConfig({
    environment: { GATEWAY_CONFIG: 'gateway.yaml', PORT: '0' },
    readFile: onlyFile(JSON.stringify(file)),
    providers,
  })
}
