import { expect, test } from 'vitest'
import { createHealthRegistry } from '../../../src/core/health/health-registry.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { type CallRecord, startRecord } from '../../../src/core/model/record/record.ts'
import { createMetrics, type Metrics } from '../../../src/telemetry/metrics/metrics.ts'
import { handClock } from '../../harness/core/pool.ts'
import { anAttempt } from '../attempt-record.ts'

test('costs are summed by deployment, exactly, those of failed attempts too', async () => {
  const metrics = createMetrics()
  for (let times = 0; times < 10; times++) {
    write(metrics, {
      attempts: [
        anAttempt({ deployment: 'm@one', costNanoUsd: 100_000_000 }),
        anAttempt({ deployment: 'm@two', costNanoUsd: 1 }),
      ],
    })
  }
  write(metrics, {
    attempts: [anAttempt({ deployment: 'm@one', costNanoUsd: undefined })],
    outcome: 'failed',
  })
  expect(await linesOf(metrics, 'pandotate_cost_usd_total')).toEqual([
    'pandotate_cost_usd_total{deployment="m@one"} 1',
    'pandotate_cost_usd_total{deployment="m@two"} 1e-8',
  ])
})

test('a cost that is not known is no cost of 0', async () => {
  const metrics = createMetrics()
  write(metrics, { attempts: [anAttempt({ deployment: 'm@one', costNanoUsd: undefined })] })
  expect(await linesOf(metrics, 'pandotate_cost_usd_total')).toEqual([])
})

test('savings are summed, and go down where more was spent than at the baseline', async () => {
  const metrics = createMetrics()
  for (const savedNanoUsd of [2_000_000_000, undefined, -500_000_000]) write(metrics, { savedNanoUsd })
  expect(await linesOf(metrics, 'pandotate_saved_usd')).toEqual(['pandotate_saved_usd 1.5'])
})

test.for([
  [undefined, 1],
  ['hit', 0],
  ['coalesced', 0],
  ['replay', 0],
] as const)('an answer that is reused (%s) says nothing of its deployment', async ([cache, count]) => {
  const metrics = createMetrics()
  const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }
  write(metrics, { cache, deployment: 'm@one', provider: 'cache', firstTokenMs: 1, usage })
  expect(await linesOf(metrics, 'pandotate_time_to_first_token_seconds_count')).toHaveLength(count)
  expect(await linesOf(metrics, 'pandotate_tokens_total')).toHaveLength(2 * count)
  expect(await linesOf(metrics, 'pandotate_call_duration_seconds_count')).toHaveLength(1)
})

test('each deployment shows its breaker and its share, as they are at the scrape', async () => {
  const standings = createHealthRegistry(['m@sick', 'm@well', 'm@busy'], handClock(), () => 0)
  const metrics = createMetrics({ deployments: () => standings.snapshot() })
  const shownBefore = await linesOf(metrics, 'pandotate_deployment_breaker_state')
  expect(shownBefore).toContain('pandotate_deployment_breaker_state{deployment="m@sick"} 0')
  const ending = { firstTokenMs: undefined, completionTokens: undefined, durationMs: 1 }
  for (let times = 0; times < 20; times++) {
    standings
      .trackOf({ id: 'm@sick' })
      .insist()
      .end({ ...ending, failure: new Failure('upstream_error', 'No.') })
  }
  standings
    .trackOf({ id: 'm@busy' })
    .insist()
    .end({ ...ending, failure: new Failure('rate_limited', 'Slow down.') })
  expect(await linesOf(metrics, 'pandotate_deployment_breaker_state')).toEqual([
    'pandotate_deployment_breaker_state{deployment="m@sick"} 2',
    'pandotate_deployment_breaker_state{deployment="m@well"} 0',
    'pandotate_deployment_breaker_state{deployment="m@busy"} 0',
  ])
  const { share } = standings.trackOf({ id: 'm@busy' }).standing()
  expect(share).toBeLessThan(1)
  expect(await linesOf(metrics, 'pandotate_deployment_share')).toEqual([
    'pandotate_deployment_share{deployment="m@sick"} 1',
    'pandotate_deployment_share{deployment="m@well"} 1',
    `pandotate_deployment_share{deployment="m@busy"} ${share}`,
  ])
})

test('a deployment shows whether it is ready once it was probed', async () => {
  const standings = createHealthRegistry(['m@well', 'm@sick', 'm@asleep', 'm@unasked'], handClock(), () => 0)
  const metrics = createMetrics({ deployments: () => standings.snapshot() })
  expect(await linesOf(metrics, 'pandotate_deployment_ready')).toEqual([])
  standings.probed('m@well', { atEpochMs: 1, answer: { isReady: true } })
  standings.probed('m@sick', { atEpochMs: 1, answer: new Failure('timeout', 'Late.') })
  standings.probed('m@asleep', { atEpochMs: 1, answer: { isReady: false, idleWorkers: 0 } })
  expect(await linesOf(metrics, 'pandotate_deployment_ready')).toEqual([
    'pandotate_deployment_ready{deployment="m@well"} 1',
    'pandotate_deployment_ready{deployment="m@sick"} 0',
    'pandotate_deployment_ready{deployment="m@asleep"} 0',
  ])
})

function write(metrics: Metrics, change: Partial<CallRecord>): void {
  metrics.write({ ...startRecord('req_1', 'chat'), ...change })
}

async function linesOf(metrics: Metrics, name: string): Promise<readonly string[]> {
  const lines = (await metrics.text()).split('\n')
  return lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
}
