import { expect, test } from 'vitest'
import { createHealthRegistry } from '../../../src/core/health/health-registry.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { createMetrics, type Metrics } from '../../../src/telemetry/metrics/metrics.ts'
import { handClock } from '../../harness/core/pool.ts'

test('each deployment shows its current breaker and share', async () => {
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

test('a probed deployment shows whether it is ready', async () => {
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

async function linesOf(metrics: Metrics, name: string): Promise<readonly string[]> {
  const lines = (await metrics.text()).split('\n')
  return lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
}
