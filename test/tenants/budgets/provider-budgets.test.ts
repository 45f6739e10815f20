import { afterEach, expect, test, vi } from 'vitest'
import { openaiCompatible } from '../../../src/providers/openai/openai-compatible.ts'
import { simulatorConfig, startTestGateway } from '../../harness/gateway.ts'
import { startHeldUpstream } from '../held-upstream.ts'
import { ask, configAt, keyWith, price, rule } from '../stage.ts'

const usage = { prompt_tokens: 90, completion_tokens: 5 }

afterEach(() => void vi.useRealTimers())

test('a budget of a provider sends calls elsewhere once it has no room, and counts what was spent there alone', async () => {
  await using upstream = await startHeldUpstream({ usage, isHeld: false })
  const budgets = [rule(150_000, { name: 'of up', providers: ['up'] }), rule(1e9, { name: 'all' })]
  const config = configAt(upstream.url, { keys: [keyWith({ budgets })] })
  const settings = openaiCompatible.settings.parse({ baseUrl: upstream.url, retries: 0 })
  const providers = [...(config.providers ?? []), { name: 'other', type: 'openai-compatible', settings }]
  const deployments = ['up', 'other'].map((provider) => ({ provider, price: [{ price }] }))
  const routes = [{ pattern: '*', strategy: 'fallback' as const, deployments }]
  await using gateway = await startTestGateway({ ...config, providers, routes })
  for (let call = 1; call <= 3; call++) {
    expect((await ask(gateway.url, { max_tokens: 5 })).status).toBe(200)
    await gateway.recorded(call)
  }
  expect(gateway.records.map(({ provider }) => provider)).toEqual(['up', 'other', 'other'])
})

test('where there is nowhere else, the call is refused, and the budget named', async () => {
  await using upstream = await startHeldUpstream({ usage, isHeld: false })
  const budgets = [rule(150_000, { name: 'of up', providers: ['up'] })]
  await using gateway = await startTestGateway(configAt(upstream.url, { keys: [keyWith({ budgets })] }))
  expect((await ask(gateway.url, { max_tokens: 5 })).status).toBe(200)
  await gateway.recorded()
  const refused = await ask(gateway.url, { max_tokens: 5 })
  expect([refused.status, await refused.text()]).toEqual([429, expect.stringContaining('tester of up')])
})

test('a hold for what is paid by the second grows with the time, and the call ends where the money does', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  await using upstream = await startHeldUpstream({})
  const config = configAt(upstream.url, { keys: [keyWith({ budgets: [rule(65_000)] })] })
  const perSecond = { ...price, inputNanoUsdPerMillion: undefined, outputNanoUsdPerMillion: undefined }
  const clocks = { connectMs: 300_000, firstTokenMs: 300_000, idleMs: 300_000, totalMs: 300_000 }
  const deployments = [
    { provider: 'up', clocks, price: [{ price: { ...perSecond, nanoUsdPerSecond: 1000 } }] },
  ]
  const routes = [{ pattern: '*', strategy: 'fallback' as const, deployments }]
  const limits = { ...simulatorConfig.limits, deadlineMs: 600_000 }
  await using gateway = await startTestGateway({ ...config, routes, limits })
  const answered = ask(gateway.url)
  await expect.poll(() => upstream.asked.length).toBe(1)
  // Each piece of thirty seconds is paid for five seconds ahead.
  await vi.advanceTimersByTimeAsync(25_000)
  expect(gateway.records).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(25_000)
  const response = await answered
  expect([response.status, await response.json()]).toMatchObject([
    429,
    { error: { code: 'insufficient_quota' } },
  ])
  const { attempts } = await gateway.recorded()
  expect(attempts).toMatchObject([{ outcome: 'quota_exhausted', heldNanoUsd: 60_000 }])
})
