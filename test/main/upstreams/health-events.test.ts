import { expect, test } from 'vitest'
import { createHealthRegistry } from '../../../src/core/health/health-registry.ts'
import type { HealthEvent } from '../../../src/core/health/health-watch.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { createHealthLog } from '../../../src/telemetry/health-log.ts'
import { createMetrics } from '../../../src/telemetry/metrics/metrics.ts'
import { handClock } from '../../harness/core/pool.ts'
import { logLines } from '../log-lines.ts'

const down = new Failure('unreachable', 'secret', {
  cause: Object.assign(new Error('secret'), { code: 'ECONNREFUSED' }),
})
const refused = new Failure('upstream_auth', 'secret', {
  upstreamStatus: 401,
  operatorNote: 'Look at ONE_KEY.',
})
const broke = new Failure('upstream_auth', 'secret', { upstreamStatus: 402 })
const limited = new Failure('rate_limited', 'secret', { upstreamStatus: 429 })

test('a breaker that opens and closes is logged as a warning, once each time', () => {
  const watched = watch()
  watched.end('m@one', down, 5)
  expect(watched.lines()).toMatchObject([
    {
      level: 40,
      event: 'breaker_opened',
      deployment: 'm@one',
      provider: 'one',
      failures: 5,
      kind: 'unreachable',
      causeCode: 'ECONNREFUSED',
    },
  ])
  watched.end('m@one', down, 3)
  expect(watched.lines()).toHaveLength(1)
  watched.clock.move(120_000)
  watched.end('m@one', down, 1)
  expect(watched.lines()).toHaveLength(1)
  watched.clock.move(240_000)
  watched.end('m@one', undefined, 1)
  expect(watched.lines()).toMatchObject([{}, { level: 40, event: 'breaker_closed', deployment: 'm@one' }])
  expect(JSON.stringify(watched.lines())).not.toContain('secret')
})

test('a key that is refused is logged once for all deployments of its provider, with what to look at', () => {
  const watched = watch()
  watched.end('m@one', refused, 2)
  watched.end('n@one', refused, 2)
  const told = watched.lines().filter(({ event }) => event === 'key_refused')
  expect(told).toMatchObject([
    { level: 40, provider: 'one', upstreamStatus: 401, operatorNote: 'Look at ONE_KEY.' },
  ])
  watched.end('m@one', broke, 1)
  watched.end('m@one', undefined, 1)
  expect(watched.lines().map(({ event }) => event)).toEqual(
    expect.arrayContaining(['no_credit', 'key_accepted']),
  )
})

test("a provider's limit is logged when it is reached repeatedly, and when it no longer is", () => {
  const watched = watch()
  watched.end('m@one', limited, 4)
  expect(watched.lines()).toEqual([])
  watched.end('m@one', limited, 6)
  expect(watched.lines()).toMatchObject([{ event: 'limit_met', upstreamStatus: 429 }])
  watched.clock.move(61_000)
  watched.end('m@one', undefined, 1)
  expect(watched.lines()).toMatchObject([{}, { event: 'limit_over' }])
})

test('one model at a place for many is named', () => {
  const watched = watch()
  watched.end('*@one', new Failure('upstream_error', 'secret'), 5, 'x/sick')
  expect(watched.lines()).toMatchObject([{ event: 'breaker_opened', deployment: '*@one', model: 'x/sick' }])
})

test('each event is counted', async () => {
  const watched = watch()
  watched.end('m@one', down, 5)
  expect(await watched.metrics.text()).toContain(
    'pandotate_deployment_events_total{deployment="m@one",event="breaker_opened"} 1',
  )
})

function watch() {
  const clock = handClock()
  const { log, lines } = logLines()
  const healthLog = createHealthLog(log)
  const metrics = createMetrics()
  const onEvent = (event: HealthEvent) => {
    metrics.noteHealth(event)
    healthLog(event)
  }
  const registry = createHealthRegistry(['m@one', 'n@one', '*@one'], clock, () => 0, { onEvent: onEvent })
  return {
    ...{ clock, metrics },
    lines: () => lines() as readonly Record<string, unknown>[],
    end(id: string, failure: Failure | undefined, times: number, madeFor?: string) {
      const track = registry.trackOf(madeFor === undefined ? { id } : { id, madeFor })
      for (let time = 0; time < times; time++) {
        track.insist().end({ failure, firstTokenMs: undefined, completionTokens: undefined, durationMs: 1 })
      }
    },
  }
}
