import { expect, test } from 'vitest'
import { type Config, loadConfig } from '../../../src/config.ts'
import { providers } from '../../../src/providers/all.ts'
import type { SimulatedServer } from '../../../src/simulator/server/simulated-server.ts'
import { simulateTogether } from '../../../src/simulator/together/together.ts'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { onlyFile } from '../../harness/only-file.ts'

const messages = [{ role: 'user', content: 'one two three' }]

test('a key that is refused costs one attempt, and operators see it', async () => {
  await using scene = await openScene({
    route: 'cheapest',
    deployments: [
      { provider: 'one', model: 'x/sim-status-401', price: { input: 1, output: 1 } },
      { provider: 'two', model: 'x/sim-echo', price: { input: 2, output: 2 } },
    ],
  })
  for (let call = 0; call < 20; call++) expect(await scene.ask({ model: 'm' })).toBe(200)
  expect(scene.one.hits()).toBe(1)
  expect(await scene.deployments()).toMatchObject([
    { id: 'x/sim-status-401@one', breaker: 'open', attempts: 1, failed: 1, last_failure: 'upstream_auth' },
    { id: 'x/sim-echo@two', breaker: 'closed', attempts: 20, failed: 0, last_failure: null },
  ])
})

test('a model that fails at a place for many keeps no other model from it', async () => {
  await using scene = await openScene(
    { deployments: [{ provider: 'one' }, { provider: 'two', model: 'x/sim-echo' }] },
    'x/*',
  )
  for (let call = 0; call < 8; call++) await scene.ask({ model: 'x/sim-status-500' })
  const before = scene.one.hits()
  await scene.ask({ model: 'x/sim-status-500' })
  expect(scene.one.hits()).toBe(before)
  await scene.ask({ model: 'x/sim-echo' })
  expect(scene.one.hits()).toBe(before + 1)
  const rows = (await scene.deployments()).filter(({ id }) => id === 'x/*@one')
  expect(rows).toMatchObject([
    { model: null, breaker: 'closed', failed: 5, answered: 1 },
    { model: 'x/sim-status-500', breaker: 'open', failed: 5, answered: 0 },
    { model: 'x/sim-echo', breaker: 'closed', failed: 0, answered: 1 },
  ])
  const metrics = await (await fetch(`${scene.gateway.url}/metrics`)).text()
  expect(metrics).toContain('pandotate_deployment_breaker_state{deployment="x/*@one"} 2\n')
  const model = async (name: string) =>
    (await (await fetch(`${scene.gateway.url}/v1/models/${name}`)).json()) as {
      deployments: { health: { breaker: string } }[]
    }
  expect((await model('x/sim-status-500')).deployments[0]?.health.breaker).toBe('open')
  expect((await model('x/sim-echo')).deployments[0]?.health.breaker).toBe('closed')
})

test('what a provider’s list says that a model holds counts, as its price does', async () => {
  await using scene = await openScene(
    {
      deployments: [
        { provider: 'one', model: 'x/small' },
        { provider: 'two', model: 'x/sim-echo' },
      ],
    },
    'm',
    {},
    true,
  )
  while (scene.gateway.logged().split('the provider listed its models').length <= 2)
    await new Promise(setImmediate)
  const explained = await scene.explain({
    model: 'm',
    messages: [{ role: 'user', content: 'word '.repeat(200) }],
  })
  expect(explained).toMatchObject({
    candidates: [{ removed_by: { filter: 'context' } }, { removed_by: null }],
  })
})

type Scene = AsyncDisposable & {
  readonly gateway: TestGateway
  readonly one: SimulatedServer
  /** The status of the answer. */
  ask(body: object): Promise<number>
  explain(body: object): Promise<unknown>
  deployments(): Promise<readonly { readonly id: string }[]>
}

/** One route over two servers, of which the first has a model that holds little. */
async function openScene(model: object, name = 'm', sections: object = {}, lists = false): Promise<Scene> {
  const [one, two] = [await openServer(), await openServer()]
  const at = ({ origin }: SimulatedServer) => ({ type: 'together', baseUrl: `${origin}/v1`, retries: 0 })
  const config = configOf({
    ...sections,
    providers: { one: at(one), two: at(two) },
    models: { [name]: model },
  })
  const gateway = await startTestGateway(config, { lists })
  const post = (path: string, body: object) =>
    fetch(`${gateway.url}/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages, ...body }),
    })
  return {
    ...{ gateway, one },
    async ask(body) {
      const response = await post('chat/completions', body)
      await response.text()
      return response.status
    },
    explain: async (body) => await (await post('route/explain', body)).json(),
    async deployments() {
      const response = await fetch(`${gateway.url}/admin/api/deployments`)
      return ((await response.json()) as { data: { id: string }[] }).data
    },
    async [Symbol.asyncDispose]() {
      for (const part of [gateway, one, two]) await part[Symbol.asyncDispose]()
    },
  }
}

function openServer(): Promise<SimulatedServer> {
  const common = { type: 'chat', engine: 'b', input: 1, output: 1 } as const
  const models = [
    ...['x/sim-status-401', 'x/sim-status-500', 'x/sim-echo'].map((id) => ({
      id,
      contextTokens: 32_768,
      ...common,
    })),
    { id: 'x/small', contextTokens: 100, ...common },
  ]
  return simulateTogether({ host: '127.0.0.1', port: 0, models })
}

function configOf(file: object): Config {
  return loadConfig({
    environment: { GATEWAY_CONFIG: 'gateway.yaml', PORT: '0' },
    readFile: onlyFile(JSON.stringify(file)),
    providers,
  })
}
