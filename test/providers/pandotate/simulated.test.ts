import { expect, test } from 'vitest'
import { pandotate } from '../../../src/providers/pandotate/pandotate.ts'
import { simulatePandotate } from '../../../src/simulator/pandotate/pandotate.ts'
import { call, type Told, tell } from '../../harness/core/simulated-call.ts'
import { tools } from '../../harness/tools.ts'

const outcomes: readonly (readonly [model: string, expected: Partial<Told>])[] = [
  [
    'sim-echo',
    {
      text: 'one two',
      reason: 'stop',
      usage: { prompt_tokens: 2, completion_tokens: 2 },
      failure: undefined,
    },
  ],
  ['sim-extra-echo', { text: 'one two', extra: { region: 'eu-sim-1', queue_ms: 12 } }],
  ['sim-nousage-echo', { text: 'one two', usage: undefined }],
  ['sim-flaky-1-echo', { failure: { kind: 'overloaded', upstreamStatus: 503 } }],
  ['sim-ratelimit-2', { failure: { kind: 'rate_limited', retryAfterMs: 2000 } }],
  ['sim-status-500', { failure: { kind: 'upstream_error', upstreamStatus: 500 } }],
  ['sim-status-404', { failure: { kind: 'model_not_found' } }],
  ['sim-status-400', { failure: { kind: 'rejected' } }],
  ['sim-cut-1-echo', { failure: { kind: 'interrupted' } }],
  ['sim-reset', { failure: { kind: 'unreachable' } }],
  ['sim-badjson', { failure: { kind: 'invalid_response' } }],
  ['sim-html', { failure: { kind: 'invalid_response' } }],
  ['sim-empty', { failure: { kind: 'invalid_response' } }],
]

test.for(outcomes)('of a simulated Pandotate, %s is understood', async ([model, expected]) => {
  await using simulated = await simulatePandotate({ host: '127.0.0.1', port: 0, key: 'pk_right' })
  const settings = pandotate.settings.parse({ url: simulated.url, apiKey: 'pk_right' })
  const upstream = pandotate.create('pandotate', settings, tools)
  expect(await tell(upstream, call({ model }))).toMatchObject(expected)
  expect(simulated.hits()).toBe(1)
  await upstream.close()
})

test.for([
  ['pk_wrong', undefined, 'upstream_auth'],
  [undefined, 'pk_wrong', 'unauthorized'],
  [undefined, undefined, 'upstream_auth'],
  [undefined, 'pk_right', undefined],
] as const)(
  'with the key %s of ours and %s of the caller, it says %s',
  async ([apiKey, credential, kind]) => {
    await using simulated = await simulatePandotate({ host: '127.0.0.1', port: 0, key: 'pk_right' })
    const settings = pandotate.settings.parse({ url: simulated.url, apiKey })
    const upstream = pandotate.create('pandotate', settings, tools)
    const told = await tell(upstream, call({ model: 'sim-echo', credential }))
    expect(told.failure?.kind).toBe(kind)
    await upstream.close()
  },
)
