import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { startHeldUpstream } from './held-upstream.ts'
import { ask, configAt, keyWith, rule, secret } from './stage.ts'

const usage = { prompt_tokens: 8, completion_tokens: 5 }

function messages(url: string): Promise<Response> {
  return fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': secret, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'Hello.' }] }),
  })
}

describe('requests per minute', () => {
  test('are reported on every answer, and a refusal says exactly when to come back', async () => {
    await using upstream = await startHeldUpstream({ usage, isHeld: false })
    await using gateway = await startTestGateway(
      configAt(upstream.url, { keys: [keyWith({ rates: { rpm: 2 } })], rates: { rpm: 100 } }),
    )
    const first = await ask(gateway.url)
    expect(first.status).toBe(200)
    expect(first.headers.get('x-ratelimit-limit-requests')).toBe('2')
    expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('1')
    expect(first.headers.get('x-ratelimit-reset-requests')).toBe('30s')
    expect((await ask(gateway.url)).status).toBe(200)
    const refused = await ask(gateway.url)
    expect(refused.status).toBe(429)
    const waitMs = Number(refused.headers.get('retry-after-ms'))
    expect(waitMs).toBeGreaterThan(20_000)
    expect(waitMs).toBeLessThanOrEqual(30_000)
    expect(refused.headers.get('retry-after')).toBe(String(Math.ceil(waitMs / 1000)))
    expect(refused.headers.get('x-pandotate-limit')).toBe('rpm/key_tester')
    expect(await refused.json()).toMatchObject({
      error: { type: 'requests', code: 'rate_limit_exceeded', param: null },
    })
    expect(upstream.asked).toHaveLength(2)
  })

  test('are reported in Anthropic’s own headers where its clients ask', async () => {
    await using upstream = await startHeldUpstream({ usage, isHeld: false })
    await using gateway = await startTestGateway(
      configAt(upstream.url, { keys: [keyWith({ rates: { rpm: 1 } })] }),
    )
    const answered = await messages(gateway.url)
    expect(answered.status).toBe(200)
    expect(answered.headers.get('anthropic-ratelimit-requests-limit')).toBe('1')
    expect(answered.headers.get('anthropic-ratelimit-requests-remaining')).toBe('0')
    expect(answered.headers.get('anthropic-ratelimit-requests-reset')).toMatch(/^\d{4}-.*:\d\dZ$/)
    const refused = await messages(gateway.url)
    expect(refused.status).toBe(429)
    expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } })
  })
})

describe('tokens per minute', () => {
  test('are admitted by estimate, and made right by what was used', async () => {
    await using upstream = await startHeldUpstream({ usage, isHeld: false })
    await using gateway = await startTestGateway(
      configAt(upstream.url, { keys: [keyWith({ rates: { tpm: 1000 } })] }),
    )
    const first = await ask(gateway.url, { max_tokens: 700 })
    const before = Number(first.headers.get('x-ratelimit-remaining-tokens'))
    expect(before).toBeLessThan(300)
    await gateway.recorded()
    const second = await ask(gateway.url, { max_tokens: 700 })
    expect(second.status).toBe(200)
    expect(Number(second.headers.get('x-ratelimit-remaining-tokens'))).toBeGreaterThan(before - 20)
    const large = await ask(gateway.url, { max_tokens: 5000 })
    expect(large.status).toBe(429)
    expect(large.headers.get('x-should-retry')).toBe('false')
    expect(await large.json()).toMatchObject({ error: { type: 'tokens', code: 'rate_limit_exceeded' } })
  })
})

describe('concurrent calls', () => {
  test('are bounded, and a place is free as soon as one ends', async () => {
    await using upstream = await startHeldUpstream({ usage })
    await using gateway = await startTestGateway(
      configAt(upstream.url, { keys: [keyWith({ rates: { concurrency: 1 } })] }),
    )
    const first = ask(gateway.url)
    await expect.poll(() => upstream.asked.length).toBe(1)
    const refused = await ask(gateway.url)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('x-pandotate-limit')).toBe('concurrency/key_tester')
    upstream.release()
    expect((await first).status).toBe(200)
    await gateway.recorded(2)
    expect((await ask(gateway.url)).status).toBe(200)
  })
})

test('a call that a budget refuses burns nothing of a limit', async () => {
  await using upstream = await startHeldUpstream({ usage, isHeld: false })
  await using gateway = await startTestGateway(
    configAt(upstream.url, { keys: [keyWith({ rates: { rpm: 2, tpm: 1000 }, budgets: [rule(1)] })] }),
  )
  for (let call = 0; call < 5; call++) {
    const refused = await ask(gateway.url)
    expect(refused.status).toBe(429)
    expect(await refused.json()).toMatchObject({ error: { code: 'insufficient_quota' } })
    await gateway.recorded(call + 1)
  }
  expect(upstream.asked).toHaveLength(0)
})

describe('a key', () => {
  test.for([
    ['that is unknown', {}, 'sk-unknown-012345', 401, 'invalid_api_key', 'Incorrect API key provided.'],
    ['that is disabled', { isDisabled: true }, secret, 401, 'invalid_api_key', 'disabled'],
    [
      'that has expired',
      { expiresAtMs: 1 },
      secret,
      401,
      'invalid_api_key',
      'expired (1970-01-01T00:00:00.001Z)',
    ],
    [
      'that may not use the model',
      { models: ['other-*'] },
      secret,
      404,
      'model_not_found',
      '`m` does not exist',
    ],
    [
      'that may not use the provider',
      { providers: ['other'] },
      secret,
      404,
      'model_not_found',
      'may not use',
    ],
  ] as const)('%s is refused as OpenAI does it', async ([, more, bearer, status, code, message]) => {
    await using upstream = await startHeldUpstream({ usage, isHeld: false })
    const key = keyWith({ ...more } as Partial<ReturnType<typeof keyWith>>)
    await using gateway = await startTestGateway(configAt(upstream.url, { keys: [key] }))
    const response = await ask(gateway.url, {}, { authorization: `Bearer ${bearer}` })
    expect(response.status).toBe(status)
    const { error } = (await response.json()) as { error: { message: string; code: string } }
    expect(error.code).toBe(code)
    expect(error.message).toContain(message)
    expect(upstream.asked).toHaveLength(0)
  })
})
