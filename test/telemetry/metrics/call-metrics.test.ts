import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import { type CallRecord, startRecord } from '../../../src/core/model/record/record.ts'
import { lineOf } from '../../../src/telemetry/line.ts'
import { createCallMetrics } from '../../../src/telemetry/metrics/call-metrics.ts'
import { anAttempt } from '../attempt-record.ts'

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }

test('labels and values are those of the log line', async () => {
  const { write, linesOf } = metricsOfCalls()
  const change = {
    ...{ status: 200, stream: true, deployment: 'm@one', usage, usageEstimated: true, slow: true },
    ...{ totalMs: 250, overheadMs: 2, firstTokenMs: 125, attempts: [anAttempt({ deployment: 'm@one' })] },
  } satisfies Partial<CallRecord>
  write(change)
  const line = JSON.parse(`{${lineOf({ ...startRecord('req_1', 'chat'), ...change })}}`)
  const { dialect, status, outcome, stream, deployment, usageEstimated } = line
  for (const [name, labels, value] of [
    ['calls_total', { dialect, status, outcome }, 1],
    ['slow_calls_total', { dialect }, 1],
    ['call_duration_seconds_sum', { dialect, stream }, line.totalMs / 1000],
    ['overhead_seconds_sum', { dialect }, line.overheadMs / 1000],
    ['time_to_first_token_seconds_sum', { deployment, stream }, line.firstTokenMs / 1000],
    ['attempts_total', { deployment, outcome: line.attempts[0].outcome }, 1],
  ] as const) {
    expect(await linesOf(`pandotate_${name}`)).toEqual([shown(name, labels, value)])
  }
  const estimated = usageEstimated
  expect(await linesOf('pandotate_tokens_total')).toEqual([
    shown('tokens_total', { deployment, direction: 'prompt', estimated }, line.promptTokens),
    shown('tokens_total', { deployment, direction: 'completion', estimated }, line.completionTokens),
  ])
})

test('a call that is not slow creates no series of slow calls', async () => {
  const { write, linesOf } = metricsOfCalls()
  write({})
  expect(await linesOf('pandotate_slow_calls_total')).toEqual([])
})

test.for([
  [Object.assign(new Error('No.'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  [Object.assign(new Error('No.'), { code: 'what a caller wrote' }), 'other'],
  [new Error('No.'), 'none'],
  [undefined, 'none'],
] as const)('a failure is counted by the code of its cause (%s)', async ([cause, shownCause]) => {
  const { write, linesOf } = metricsOfCalls()
  const failure = new Failure('upstream_error', 'No.', { cause })
  write({ attempts: [anAttempt({ deployment: 'm@one', outcome: 'upstream_error', failure })] })
  const labels = { deployment: 'm@one', outcome: 'upstream_error', cause: shownCause }
  expect(await linesOf('pandotate_attempt_failures_total')).toEqual([
    shown('attempt_failures_total', labels, 1),
  ])
})

test('new codes become `other` beyond a limit', async () => {
  const { write, linesOf } = metricsOfCalls()
  for (let number = 0; number < 200; number++) {
    const cause = Object.assign(new Error('No.'), { code: `E${number}_X` })
    write({ attempts: [anAttempt({ failure: new Failure('upstream_error', 'No.', { cause }) })] })
  }
  expect((await linesOf('pandotate_attempt_failures_total')).length).toBeLessThan(100)
})

test('costs are summed exactly by deployment, including failed attempts', async () => {
  const { write, linesOf } = metricsOfCalls()
  for (let times = 0; times < 10; times++) {
    write({
      attempts: [
        anAttempt({ deployment: 'm@one', costNanoUsd: 100_000_000 }),
        anAttempt({ deployment: 'm@two', costNanoUsd: 1 }),
      ],
    })
  }
  write({
    attempts: [anAttempt({ deployment: 'm@one', costNanoUsd: undefined })],
    outcome: 'failed',
  })
  expect(await linesOf('pandotate_cost_usd_total')).toEqual([
    'pandotate_cost_usd_total{deployment="m@one"} 1',
    'pandotate_cost_usd_total{deployment="m@two"} 1e-8',
  ])
})

test('an unknown cost is not a cost of 0', async () => {
  const { write, linesOf } = metricsOfCalls()
  write({ attempts: [anAttempt({ deployment: 'm@one', costNanoUsd: undefined })] })
  expect(await linesOf('pandotate_cost_usd_total')).toEqual([])
})

test('savings are summed, and go down if more was spent than at the baseline', async () => {
  const { write, linesOf } = metricsOfCalls()
  for (const savedNanoUsd of [2_000_000_000, undefined, -500_000_000]) write({ savedNanoUsd })
  expect(await linesOf('pandotate_saved_usd')).toEqual(['pandotate_saved_usd 1.5'])
})

test.for([
  [undefined, 1],
  ['hit', 0],
  ['coalesced', 0],
  ['replay', 0],
] as const)('a reused answer (%s) does not count for its deployment', async ([cache, count]) => {
  const { write, linesOf } = metricsOfCalls()
  write({ cache, deployment: 'm@one', provider: 'cache', firstTokenMs: 1, usage })
  expect(await linesOf('pandotate_time_to_first_token_seconds_count')).toHaveLength(count)
  expect(await linesOf('pandotate_tokens_total')).toHaveLength(2 * count)
  expect(await linesOf('pandotate_call_duration_seconds_count')).toHaveLength(1)
})

function metricsOfCalls() {
  const registry = new Registry()
  const metrics = createCallMetrics(registry)
  return {
    write: (change: Partial<CallRecord>) => metrics.write({ ...startRecord('req_1', 'chat'), ...change }),
    async linesOf(name: string): Promise<readonly string[]> {
      const lines = (await registry.metrics()).split('\n')
      return lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    },
  }
}

function shown(name: string, labels: object, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`)
  return `pandotate_${name}{${pairs.join(',')}} ${value}`
}
