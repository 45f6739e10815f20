import { expect, test } from 'vitest'
import { Failure } from '../../src/core/failure.ts'
import { createGate } from '../../src/core/gate.ts'
import type { Probe } from '../../src/core/probe.ts'
import { createStandings, type Standings } from '../../src/core/standings.ts'
import { serveDeployments } from '../../src/http/deployments.ts'
import { handClock } from '../core/pool.ts'
import { startTestGateway } from '../gateway-fixture.ts'
import { mount } from './mounted.ts'

const path = '/admin/api/deployments'

test('a deployment that was not asked yet has nothing measured', async () => {
  await using asking = await start(createStandings(['m@one'], handClock(), () => 0))
  const { status, headers, body } = await asking.request(path)
  expect(status).toBe(200)
  expect(headers.get('x-request-id')).toBe('req_of_the_question')
  expect(body.data).toEqual([
    {
      id: 'm@one',
      model: null,
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

test('what befell each deployment is told', async () => {
  const standings = createStandings(['m@sick', 'm@well', 'm@busy'], handClock(), () => 0)
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
  const { body } = await asking.request(path)
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
  expect(body.data[2].share).toBeLessThan(1)
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
])('the last probe is told: %o', async ([answer, told]) => {
  const standings = createStandings(['m@one'], handClock(), () => 0)
  standings.probed('m@one', { atEpochMs: 1, answer: { isReady: false } })
  standings.probed('m@one', { atEpochMs: 2, answer })
  await using asking = await start(standings)
  const { body } = await asking.request(path)
  const unsaid = { ready: false, queued: null, idle_workers: null, busy_workers: null, failure: null }
  expect(body.data[0].probe).toEqual({ at_epoch_ms: 2, ...unsaid, ...told })
})

test('without a key is refused where keys are configured', async () => {
  await using asking = await start(
    createStandings(['m@one'], handClock(), () => 0),
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

async function start(standings: Standings, keys: readonly string[] = []) {
  const gateway = { deployments: () => standings.snapshot() }
  return await mount((router) => serveDeployments(router, { gateway, gate: createGate(keys) }))
}
