import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from './ask.ts'
import { deadUrl } from './held-upstream.ts'
import { type PandotateStack, startBefore, startStack } from './stack.ts'

let stack: PandotateStack
beforeAll(async () => {
  // Nothing but failures: a gateway would soon have asked often enough.
  stack = await startStack({ file: 'limits: { retryShare: 1 }' })
})
afterAll(() => stack[Symbol.asyncDispose]())

/** What an upstream does, as its model's name spells it, and what becomes of it. */
type Case = {
  readonly model: string
  /** To every caller. */
  readonly status: number
  /** To a caller of OpenAI's paths. */
  readonly code: string | null
  /** To a caller of /inference. */
  readonly error: string | RegExp
  readonly details?: RegExp
  /** How each upstream request ended. */
  readonly attempts: readonly string[]
}

const failed = 'Upstream provider failed'
const twice = (outcome: string) => [outcome, outcome]

const cases: readonly Case[] = [
  {
    model: 'sim-status-400',
    status: 400,
    code: null,
    error: 'Simulated status 400.',
    attempts: ['rejected'],
  },
  {
    model: 'sim-status-402',
    status: 502,
    code: 'upstream_auth_error',
    error: failed,
    details: /account/,
    attempts: ['upstream_auth'],
  },
  {
    model: 'sim-status-403',
    status: 502,
    code: 'upstream_auth_error',
    error: failed,
    details: /credentials/,
    attempts: ['upstream_auth'],
  },
  {
    model: 'sim-status-404',
    status: 404,
    code: 'model_not_found',
    error: /model/,
    attempts: ['model_not_found'],
  },
  {
    model: 'sim-status-408',
    status: 502,
    code: 'upstream_error',
    error: failed,
    details: /408/,
    attempts: twice('upstream_error'),
  },
  { model: 'sim-status-409', status: 400, code: null, error: /409/, attempts: ['rejected'] },
  { model: 'sim-status-418', status: 400, code: null, error: /418/, attempts: ['rejected'] },
  { model: 'sim-status-422', status: 400, code: null, error: /422/, attempts: ['rejected'] },
  {
    model: 'sim-status-425',
    status: 502,
    code: 'upstream_error',
    error: failed,
    details: /425/,
    attempts: twice('upstream_error'),
  },
  {
    model: 'sim-ratelimit-0',
    status: 429,
    code: 'rate_limit_exceeded',
    error: /limit/,
    attempts: twice('rate_limited'),
  },
  {
    model: 'sim-ratelimit-120',
    status: 429,
    code: 'rate_limit_exceeded',
    error: /120s/,
    attempts: ['rate_limited'],
  },
  {
    model: 'sim-status-500',
    status: 502,
    code: 'upstream_error',
    error: failed,
    details: /500/,
    attempts: twice('upstream_error'),
  },
  {
    model: 'sim-status-502',
    status: 502,
    code: 'upstream_error',
    error: failed,
    details: /502/,
    attempts: twice('upstream_error'),
  },
  {
    model: 'sim-status-503',
    status: 503,
    code: 'server_is_overloaded',
    error: /more requests/,
    attempts: twice('overloaded'),
  },
  {
    model: 'sim-status-504',
    status: 502,
    code: 'upstream_error',
    error: failed,
    details: /504/,
    attempts: twice('upstream_error'),
  },
  {
    model: 'sim-status-599',
    status: 502,
    code: 'upstream_error',
    error: failed,
    details: /599/,
    attempts: twice('upstream_error'),
  },
  {
    model: 'sim-reset',
    status: 502,
    code: 'upstream_unreachable',
    error: failed,
    details: /closed/,
    attempts: twice('unreachable'),
  },
  {
    model: 'sim-cut-0',
    status: 502,
    code: 'upstream_stream_interrupted',
    error: failed,
    details: /broke off/,
    attempts: twice('interrupted'),
  },
  {
    model: 'sim-cut-5',
    status: 502,
    code: 'upstream_stream_interrupted',
    error: failed,
    details: /broke off/,
    attempts: twice('interrupted'),
  },
  {
    model: 'sim-badjson',
    status: 502,
    code: 'upstream_invalid_response',
    error: failed,
    details: /JSON/,
    attempts: twice('invalid_response'),
  },
  {
    model: 'sim-html',
    status: 502,
    code: 'upstream_invalid_response',
    error: failed,
    details: /JSON/,
    attempts: twice('invalid_response'),
  },
  {
    model: 'sim-empty',
    status: 502,
    code: 'upstream_invalid_response',
    error: failed,
    details: /output/,
    attempts: twice('invalid_response'),
  },
]

describe.concurrent.for(cases)('an upstream that does as $model', (wanted) => {
  const { model, status, code, error, details, attempts } = wanted

  test('is reported at /v1/completions, streaming or not', async () => {
    for (const stream of [false, true]) {
      const answer = await ask(stack, '/v1/completions', { model, stream })
      expect(answer.status).toBe(status)
      expect(answer.body).toMatchObject({ error: { code } })
      expect(answer.headers.get('x-pandotate-provider')).toBe('pandotate')
      const line = await answer.line()
      expect(answer.headers.get('x-pandotate-attempts')).toBe(String(line.attempts.length))
      expect(withoutStale(line.attempts.map(({ outcome }) => outcome))).toEqual(attempts)
      expect(line).toMatchObject({ status, outcome: 'failed', provider: 'pandotate', stream })
    }
  })

  test('is reported at /inference', async () => {
    const answer = await ask(stack, '/inference', { model })
    expect(answer.status).toBe(status)
    const { error: told, provider, details: more } = answer.body as Record<string, string>
    expect(told).toMatch(error)
    if (status >= 500) expect(provider).toBe('pandotate')
    if (details === undefined) expect(more).toBeUndefined()
    else expect(more).toMatch(details)
    expect(JSON.stringify(answer.body)).not.toContain('127.0.0.1')
  })
})

describe('an upstream that is silent', () => {
  test.for([false, true])(
    'is asked once, and no longer than PANDOTATE_TIMEOUT (stream: %s)',
    async (stream) => {
      await using hasty = await startBefore(stack.pandotateUrl, { environment: { PANDOTATE_TIMEOUT: '0.3' } })
      const model = 'sim-stall-0'
      const [openai, inference] = await Promise.all([
        ask(hasty, '/v1/completions', { model, stream }),
        ask(hasty, '/inference', { model, stream }),
      ])
      expect(openai).toMatchObject({ status: 504, body: { error: { code: 'upstream_timeout' } } })
      expect(inference).toMatchObject({
        status: 504,
        body: { error: 'Upstream request timed out', provider: 'pandotate' },
      })
      const { attempts } = await openai.line()
      expect(attempts.map(({ outcome }) => outcome)).toEqual(['timeout'])
    },
  )

  test('is not waited for longer than the caller says', async () => {
    const answer = await ask(
      stack,
      '/v1/completions',
      { model: 'sim-slow-60000' },
      { 'x-pandotate-timeout-ms': '200' },
    )
    expect(answer).toMatchObject({ status: 504, body: { error: { code: 'upstream_timeout' } } })
  })
})

describe('an upstream that cannot be reached', () => {
  test('is a 502 that names no address', async () => {
    const url = await deadUrl()
    await using lost = await startBefore(url)
    const answer = await ask(lost, '/inference', {})
    expect(answer.status).toBe(502)
    expect(answer.body).toEqual({
      error: failed,
      provider: 'pandotate',
      details: 'The upstream could not be reached: the connection was refused.',
    })
    const { attempts } = await answer.line()
    expect(attempts.map(({ outcome }) => outcome)).toEqual(twice('unreachable'))
    expect(lost.gateway.stdout()).not.toContain(new URL(url).port)
  })
})

describe('a 429', () => {
  test('is asked again after its Retry-After, and keeps it for the caller', async () => {
    const answer = await ask(stack, '/v1/completions', { model: 'sim-ratelimit-1' })
    expect(answer.status).toBe(429)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(answer.headers.get('x-pandotate-attempts')).toBe('2')
  })

  test('is reported at once when its Retry-After is longer than the caller waits', async () => {
    const patience = { 'x-pandotate-timeout-ms': '20000' }
    const answer = await ask(stack, '/inference', { model: 'sim-ratelimit-30' }, patience)
    expect(answer.status).toBe(429)
    expect(answer.headers.get('retry-after')).toBe('30')
    expect(answer.headers.get('x-pandotate-attempts')).toBe('1')
  })
})

/** A reset of a connection that had served before is sent once more beside the retries: the case counts what is left. */
function withoutStale(outcomes: readonly string[]): readonly string[] {
  return outcomes.every((outcome) => outcome === 'unreachable') ? outcomes.slice(-2) : outcomes
}
