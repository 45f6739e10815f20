import { expect, test } from 'vitest'
import { openaiCompatible } from '../../../src/providers/openai/openai-compatible.ts'
import { noTenants } from '../../../src/tenants/settings.ts'
import { startTestGateway } from '../../harness/gateway.ts'
import { startHeldUpstream } from '../held-upstream.ts'
import { ask, configAt, keyWith, price, rule } from '../stage.ts'

test('an answer in slices that another upstream continues holds what was written as part of the prompt', async () => {
  const written = 400
  await using first = await startHeldUpstream({ words: 5000, cutAfter: written, isHeld: false })
  await using second = await startHeldUpstream({ words: 20, isHeld: false })
  const keys = [keyWith({ budgets: [rule(3_000_000)] })]
  const terms = { ...noTenants.terms, sliceTokens: 100, marginTokens: 20 }
  const names = ['first', 'second'] as const
  const urls = { first: first.url, second: second.url }
  const providers = names.map((name) => {
    const settings = openaiCompatible.settings.parse({ baseUrl: urls[name], preset: 'vllm', retries: 0 })
    return { name, type: 'openai-compatible', settings } as const
  })
  const billing = { stopsOnAbort: true }
  const deployments = names.map((provider) => ({ provider, price: [{ price }], billing }))
  const routes = [{ pattern: '*', strategy: 'fallback' as const, deployments }]
  await using gateway = await startTestGateway({ ...configAt(first.url, { keys, terms }), providers, routes })
  const text = await (await ask(gateway.url, { stream: true, max_tokens: 4000 })).text()
  expect(text).toContain('data: [DONE]')
  const { attempts } = await gateway.recorded()
  expect(attempts).toMatchObject([{ isResumed: false }, { isResumed: true }])
  // A prompt token costs half of what one of the answer costs: 100 of these are held, too.
  const [, resumed] = attempts
  expect(resumed?.heldNanoUsd).toBeGreaterThan(written * 1000 + 100 * 2000)
})
