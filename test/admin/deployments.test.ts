import { describe, expect, test } from 'vitest'
import { deploymentRoutes } from '../../src/admin/live/deployments.ts'
import { createAuthenticator } from '../../src/core/authenticate.ts'
import { createDrains } from '../../src/core/health/drains.ts'
import { createHealthRegistry, type HealthRegistry } from '../../src/core/health/health-registry.ts'
import type { Probe } from '../../src/core/health/probe.ts'
import { Failure } from '../../src/core/model/failure.ts'
import type { Deployment } from '../../src/core/model/ports.ts'
import { unknownPrice } from '../../src/core/model/price.ts'
import { createBodyReader } from '../../src/http/call/body.ts'
import { serveAdmin } from '../../src/http/routes/admin.ts'
import { createIdempotentAnswers } from '../../src/http/routes/admin-once.ts'
import { handClock } from '../harness/core/pool.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { startGatewayOver } from '../harness/gateway-over.ts'
import { mount } from '../harness/mounted-route.ts'
import { aDeployment, scriptedUpstream } from '../harness/scripted-upstream.ts'
import { startTwoSimulators } from './two-simulators.ts'

const path = '/admin/api/deployments'

test('a deployment that was not asked yet has nothing measured', async () => {
  await using asking = await start(createHealthRegistry(['m@one'], handClock(), () => 0))
  const { status, headers, body } = await asking.request<Listed>(path)
  expect(status).toBe(200)
  expect(headers.get('x-request-id')).toBe('req_of_the_question')
  expect(body.data).toEqual([
    {
      id: 'm@one',
      ...{ model: null, provider: null, upstream_model: null, routes: [], can_wake: false, drained: null },
      price: null,
      presence: null,
      breaker: 'closed',
      since_epoch_ms: expect.any(Number),
      failures_in_a_row: 0,
      opens_until_epoch_ms: null,
      share: 1,
      limited_until_epoch_ms: null,
      success_rate: 1,
      first_token_ms: null,
      tokens_per_second: null,
      in_flight: 0,
      attempts: 0,
      answered: 0,
      failed: 0,
      limited: 0,
      last_failure: null,
      probe: null,
    },
  ])
})

test('what befell each deployment is reported', async () => {
  const standings = createHealthRegistry(['m@sick', 'm@well', 'm@busy'], handClock(), () => 0)
  const measured = { firstTokenMs: 100, completionTokens: 51, durationMs: 1100 }
  const failed = { firstTokenMs: undefined, completionTokens: undefined, durationMs: 1 }
  for (let times = 0; times < 20; times++) {
    standings
      .trackOf({ id: 'm@sick' })
      .insist()
      .end({ ...failed, failure: new Failure('upstream_error', 'No.') })
  }
  standings
    .trackOf({ id: 'm@well' })
    .insist()
    .end({ ...measured, failure: undefined })
  standings
    .trackOf({ id: 'm@busy' })
    .insist()
    .end({
      ...failed,
      failure: new Failure('rate_limited', 'Slow down.', { retryAfterMs: 5000 }),
    })
  using _permit = standings.trackOf({ id: 'm@busy' }).insist()
  await using asking = await start(standings)
  const { body } = await asking.request<Listed>(path)
  expect(body.data).toMatchObject([
    {
      id: 'm@sick',
      breaker: 'open',
      failures_in_a_row: 20,
      failed: 20,
      opens_until_epoch_ms: expect.any(Number),
    },
    { id: 'm@well', breaker: 'closed', answered: 1, first_token_ms: 100, tokens_per_second: 50 },
    { id: 'm@busy', breaker: 'closed', limited: 1, in_flight: 1, limited_until_epoch_ms: expect.any(Number) },
  ])
  expect(body.data[2]?.share).toBeLessThan(1)
})

test.for<[Probe['answer'], object]>([
  [{ isReady: true }, { outcome: 'ready', ready: true }],
  [
    { isReady: true, queued: 2, idleWorkers: 0, busyWorkers: 3 },
    { outcome: 'ready', ready: true, queued: 2, idle_workers: 0, busy_workers: 3 },
  ],
  [
    { isReady: false, queued: 0, idleWorkers: 0, busyWorkers: 0 },
    { outcome: 'asleep', queued: 0, idle_workers: 0, busy_workers: 0 },
  ],
  [{ isReady: false }, { outcome: 'unready' }],
  [new Failure('unreachable', 'No word of this.'), { outcome: 'failed', failure: 'unreachable' }],
])('the last probe is reported: %o', async ([answer, told]) => {
  const standings = createHealthRegistry(['m@one'], handClock(), () => 0)
  standings.probed('m@one', { atEpochMs: 1, answer: { isReady: false } })
  standings.probed('m@one', { atEpochMs: 2, answer })
  await using asking = await start(standings)
  const { body } = await asking.request<Listed>(path)
  const unsaid = { ready: false, queued: null, idle_workers: null, busy_workers: null, failure: null }
  expect(body.data[0]?.probe).toEqual({ at_epoch_ms: 2, ...unsaid, ...told })
})

test('what each costs is reported, where that comes from, and since when', async () => {
  const upstream = scriptedUpstream([[]])
  const price = { ...unknownPrice, inputNanoUsdPerMillion: 5 }
  const listed = {
    source: 'listed',
    sinceEpochMs: Date.parse('2026-11-23T14:00:00Z'),
    asOfEpochMs: Date.parse('2026-11-23T14:00:00Z'),
    sourceName: 'one',
    isFirm: true,
  } as const
  const byName = aDeployment(upstream, {
    id: '*@one',
    price: unknownPrice,
    forModel: (model) => aDeployment(upstream, { id: '*@one', madeFor: model, price, priceOrigin: listed }),
  })
  const named = aDeployment(upstream, { id: 'm@one', price: { ...unknownPrice, nanoUsdPerSecond: 7 } })
  const standings = createHealthRegistry(['*@one', 'm@one'], handClock(), () => 0)
  standings.trackOf({ id: '*@one', madeFor: 'some/model' })
  await using asking = await start(standings, [], [byName, named])
  const { body } = await asking.request<Listed>(path)
  const nothing = {
    ...{ input_nano_usd_per_million: null, cached_input_nano_usd_per_million: null },
    ...{ output_nano_usd_per_million: null, nano_usd_per_second: null, nano_usd_per_request: null },
    ...{ source: null, since: null, as_of: null, said_by: null, firm: null },
  }
  const told = body.data.map(({ id, model, price }) => [id, model, price])
  expect(told).toEqual([
    ['*@one', null, null],
    [
      '*@one',
      'some/model',
      {
        ...{ ...nothing, input_nano_usd_per_million: 5 },
        ...{ source: 'listed', since: '2026-11-23', as_of: '2026-11-23', said_by: 'one', firm: true },
      },
    ],
    ['m@one', null, { ...nothing, nano_usd_per_second: 7 }],
  ])
})

test('a price is the same in whatever order the models are that share a deployment', async () => {
  const model = (price?: object) => ({
    deployments: [{ provider: 'up', model: 'x', ...(price && { price }) }],
  })
  const models = {
    b: model(),
    a: model({ input: 1, output: 2 }),
    c: model({ input: 3, output: 4 }),
    d: model(),
  }
  const orders = [Object.entries(models), Object.entries(models).toReversed()]
  const told = await Promise.all(
    orders.map(async (entries) => {
      await using gateway = await startGatewayOver({
        providers: { up: { type: 'openai-compatible', baseUrl: 'http://127.0.0.1:9/v1' } },
        models: Object.fromEntries(entries),
      })
      const { data } = JSON.parse(await (await fetch(gateway.url + path)).text())
      return data.map(({ id, price, routes }: Record<string, unknown>) => ({ id, price, routes }))
    }),
  )
  expect(told[0]).toEqual(told[1])
  expect(told[0]).toMatchObject([
    { id: 'x@up', price: { input_nano_usd_per_million: 1e9, source: 'own' }, routes: ['a', 'b', 'c', 'd'] },
  ])
})

test('without a key is refused where keys are configured', async () => {
  await using asking = await start(
    createHealthRegistry(['m@one'], handClock(), () => 0),
    ['sk-one'],
  )
  const headers = { authorization: 'Bearer sk-one' }
  expect((await asking.request(path)).status).toBe(401)
  expect((await asking.request(path, { headers })).status).toBe(200)
})

test('a gateway tells of its own', async () => {
  await using gateway = await startTestGateway()
  const response = await fetch(gateway.url + path)
  expect(await response.json()).toMatchObject({ data: [{ id: '*@simulator', breaker: 'closed' }] })
})

describe('a deployment that an operator drains', () => {
  test('gets no new calls, on any route, until that is undone', async () => {
    await using scene = await startTwoSimulators()
    expect(await scene.call('both')).toEqual([200, 'first'])
    const { status, body } = await scene.admin('POST', '/deployments/org/m@first/drain', {
      reason: 'upgrade',
    })
    expect([status, body.data]).toMatchObject([
      200,
      { id: 'org/m@first', drained: { by: 'operator', reason: 'upgrade', since: expect.any(String) } },
    ])
    expect(await scene.call('both')).toEqual([200, 'second'])
    expect(await scene.call('sole')).toEqual([503, null])
    const undrained = await scene.admin('DELETE', '/deployments/org%2Fm@first/drain')
    expect(undrained.body.data).toMatchObject({ drained: null })
    expect(await scene.call('both')).toEqual([200, 'first'])
    expect(await scene.call('sole')).toEqual([200, 'first'])
  })

  test('stays so over a reload, and leaves rows in the audit', async () => {
    await using scene = await startTwoSimulators()
    await scene.admin('POST', '/deployments/org/m@first/drain', {})
    scene.reload()
    expect(await scene.call('both')).toEqual([200, 'second'])
    await scene.admin('DELETE', '/deployments/org/m@first/drain')
    await scene.admin('DELETE', '/deployments/org/m@first/drain')
    const { body } = await scene.admin('GET', '/audit')
    const subject = { kind: 'deployment', id: 'org/m@first' }
    expect(body.data).toMatchObject([
      { action: 'deployment.undrain', subject, actor: 'operator' },
      { action: 'deployment.drain', subject },
    ])
  })

  test('has a plan explained without it', async () => {
    await using scene = await startTwoSimulators()
    await scene.admin('POST', '/deployments/org/m@first/drain', {})
    const { body } = await scene.explain('both')
    expect(body.plan).not.toContain('org/m@first')
    expect(body.candidates[0]).toMatchObject({
      deployment: 'org/m@first',
      removed_by: { filter: 'drained', reason: 'is drained by an operator' },
    })
  })

  test('ends the running calls there', async () => {
    await using scene = await startTwoSimulators()
    const call = scene.call('slow')
    await scene.underWay('sim-slow-700@first')
    await scene.admin('POST', '/deployments/sim-slow-700@first/drain', {})
    expect(await call).toEqual([200, 'first'])
    expect(await scene.call('slow')).toEqual([503, null])
  })

  test('is one that there is', async () => {
    await using scene = await startTwoSimulators()
    const { status, body } = await scene.admin('POST', '/deployments/nothing/drain', {})
    expect([status, body.error.code]).toEqual([404, 'deployment_not_found'])
  })
})

test('routes are reported with their deployments', async () => {
  await using scene = await startTwoSimulators()
  const { body } = await scene.admin('GET', '/routes')
  expect(body).toMatchObject({
    is_default: false,
    data: [
      {
        ...{ pattern: 'both', strategy: 'first', baseline: 'org/m@first' },
        deployments: [
          { id: 'org/m@first', provider: 'first', weight: 1 },
          { id: 'org/m@second', provider: 'second', weight: 1 },
        ],
      },
      { pattern: 'sole' },
      { pattern: 'slow' },
    ],
  })
})

async function start(
  standings: HealthRegistry,
  keys: readonly string[] = [],
  deployments: readonly Deployment[] = [],
) {
  const gateway = { deployments: () => standings.snapshot(), models: () => [] }
  const routes = deployments.map((one) => ({
    ...{ pattern: one.id, strategy: 'fallback' as const },
    deployments: [one],
  }))
  const adminRoutes = deploymentRoutes({
    current: () => ({ gateway, routes, config: { routing: { isDefault: false } } }),
    drains: createDrains(),
    now: () => 0,
    note() {},
  })
  return await mount((router) =>
    serveAdmin(router, {
      adminRoutes,
      openApi: () => ({}),
      once: createIdempotentAnswers(() => 0),
      isLeaving: () => false,
      readBody: createBodyReader({ bodyBytes: 1000, jsonDepth: 5, jsonNodes: 100 }),
      gate: createAuthenticator({ keys: [], adminKeys: keys.map((key) => ({ key, role: 'read' })) }),
    }),
  )
}

/** The fields of the list that these tests read. */
type Listed = {
  readonly data: readonly {
    readonly id: string
    readonly model: string | null
    readonly price: object | null
    readonly share: number
    readonly probe: object | null
  }[]
}
