import { describe, expect, test } from 'vitest'
import type { Config } from '../../../src/config.ts'
import type { BudgetTerms } from '../../../src/tenants/settings.ts'
import { startTestGateway } from '../../harness/gateway.ts'
import { startHeldUpstream } from '../held-upstream.ts'
import { ask, configAt, keyWith, price, rule } from '../stage.ts'

const terms: BudgetTerms = {
  ...{ assumedOutputTokens: 4096, sliceTokens: 100, marginTokens: 20, clamp: false },
  status: 429,
  users: 'hashed',
}

/** One output token costs 2000 nano-USD. */
function scene(
  url: string,
  limit: number,
  more: Partial<typeof terms> = {},
  stopsOnAbort = true,
): Partial<Config> {
  const config = configAt(url, {
    keys: [keyWith({ budgets: [rule(limit)] })],
    terms: { ...terms, ...more },
  })
  const deployment = { provider: 'up', price: [{ price }], billing: { stopsOnAbort } }
  return { ...config, routes: [{ pattern: '*', strategy: 'fallback', deployments: [deployment] }] }
}

const roomForTwoSlices = 550_000

describe('an answer whose whole bound does not fit', () => {
  test('continues as long as it is paid for, and its hold grows with it', async () => {
    await using upstream = await startHeldUpstream({ words: 150, isHeld: false })
    await using gateway = await startTestGateway(scene(upstream.url, roomForTwoSlices))
    const response = await ask(gateway.url, { stream: true, max_tokens: 4000 })
    expect(response.status).toBe(200)
    const text = await response.text()
    expect(text).toContain('data: [DONE]')
    const { attempts, costNanoUsd } = await gateway.recorded()
    expect(attempts[0]?.heldNanoUsd).toBeGreaterThan(400_000)
    expect(attempts[0]?.heldNanoUsd).toBeLessThanOrEqual(roomForTwoSlices)
    expect(costNanoUsd).toBeLessThanOrEqual(attempts[0]?.heldNanoUsd ?? 0)
  })

  test('ends with an insufficient_quota event where the money ends', async () => {
    await using upstream = await startHeldUpstream({ words: 100_000, isHeld: false })
    await using gateway = await startTestGateway(scene(upstream.url, roomForTwoSlices))
    const response = await ask(gateway.url, { stream: true, max_tokens: 200_000 })
    const text = await response.text()
    expect(text).toContain('"code":"insufficient_quota"')
    expect(text).not.toContain('[DONE]')
    const { costNanoUsd = 0, outcome, failure } = await gateway.recorded()
    expect([outcome, failure?.kind]).toEqual(['failed', 'quota_exhausted'])
    expect(costNanoUsd).toBeGreaterThan(100_000)
    expect(costNanoUsd).toBeLessThanOrEqual(roomForTwoSlices)
  })

  test('is paid for to the last token: a slice that does not fit is paid for in part', async () => {
    await using upstream = await startHeldUpstream({ words: 100_000, isHeld: false })
    await using gateway = await startTestGateway(
      scene(upstream.url, roomForTwoSlices, { sliceTokens: 100, marginTokens: 0 }),
    )
    await (await ask(gateway.url, { stream: true, max_tokens: 200_000 })).text()
    const { attempts } = await gateway.recorded()
    expect(attempts[0]?.heldNanoUsd).toBeGreaterThan(roomForTwoSlices - 2000)
    expect(attempts[0]?.heldNanoUsd).toBeLessThanOrEqual(roomForTwoSlices)
  })

  test('is held for no further than its own bound', async () => {
    await using upstream = await startHeldUpstream({ words: 130, isHeld: false })
    const room = 150 * 2000 + 60_000
    await using gateway = await startTestGateway(scene(upstream.url, room))
    const response = await ask(gateway.url, { stream: true, max_tokens: 155 })
    expect(await response.text()).toContain('data: [DONE]')
    expect((await gateway.recorded()).outcome).toBe('ok')
  })

  test('in one piece is what was written, too long, with the budget named', async () => {
    await using upstream = await startHeldUpstream({ words: 100_000, isHeld: false })
    await using gateway = await startTestGateway(scene(upstream.url, roomForTwoSlices))
    const response = await ask(gateway.url, { max_tokens: 200_000 })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-pandotate-limit')).toMatch(/^budget\/key:/)
    const { choices } = (await response.json()) as {
      choices: { finish_reason: string; message: { content: string } }[]
    }
    expect(choices).toHaveLength(1)
    expect(choices[0]?.finish_reason).toBe('length')
    expect(choices[0]?.message.content).toMatch(/^word( word){50,250}$/)
    expect(upstream.asked).toMatchObject([{ stream: true, max_tokens: 200_000 }])
    const { costNanoUsd } = await gateway.recorded()
    expect(costNanoUsd).toBeLessThanOrEqual(roomForTwoSlices)
  })

  test('is refused where leaving it would not stop its bill', async () => {
    await using upstream = await startHeldUpstream({ isHeld: false })
    await using gateway = await startTestGateway(scene(upstream.url, roomForTwoSlices, {}, false))
    const response = await ask(gateway.url, { max_tokens: 4000 })
    expect(response.status).toBe(429)
    expect(await response.json()).toMatchObject({ error: { code: 'insufficient_quota' } })
    expect(upstream.asked).toHaveLength(0)
  })

  test('or bounded by what is left, where that is allowed', async () => {
    await using upstream = await startHeldUpstream({ isHeld: false })
    await using gateway = await startTestGateway(
      scene(upstream.url, roomForTwoSlices, { clamp: true }, false),
    )
    const response = await ask(gateway.url, { max_tokens: 4000 })
    expect(response.status).toBe(200)
    const [asked] = upstream.asked
    expect(asked?.max_tokens).toBeGreaterThan(100)
    expect(asked?.max_tokens).toBeLessThan(275)
    expect(response.headers.get('x-pandotate-limit')).toBe(`max_tokens/${asked?.max_tokens}`)
  })
})

test('an answer that nobody bounds is bounded, and the bound is named', async () => {
  await using upstream = await startHeldUpstream({ isHeld: false })
  await using gateway = await startTestGateway(scene(upstream.url, 1e12))
  const response = await ask(gateway.url, { max_tokens: undefined })
  expect(response.headers.get('x-pandotate-limit')).toBe('max_tokens/4096')
  expect(upstream.asked).toMatchObject([{ max_tokens: 4096 }])
})

describe('a deployment whose price is not known', () => {
  test('is left out under a budget, and the line to add is reported', async () => {
    await using upstream = await startHeldUpstream({ isHeld: false })
    const config = scene(upstream.url, 1e12)
    const routes = [{ pattern: 'm', strategy: 'fallback' as const, deployments: [{ provider: 'up' }] }]
    await using gateway = await startTestGateway({ ...config, routes })
    const response = await ask(gateway.url)
    expect(response.status).toBe(400)
    const { error } = (await response.json()) as { error: { message: string } }
    expect(error.message).toContain('has no known price, and a budget applies')
    expect(error.message).toContain('models: { "m": { deployments: [{ provider: up, price:')
    expect(upstream.asked).toHaveLength(0)
  })

  test('but for one that an operator says is free', async () => {
    await using upstream = await startHeldUpstream({ isHeld: false })
    const free = { ...price, inputNanoUsdPerMillion: 0, outputNanoUsdPerMillion: 0 }
    const deployments = [{ provider: 'up', price: [{ price: free }] }]
    const routes = [{ pattern: 'm', strategy: 'fallback' as const, deployments }]
    await using gateway = await startTestGateway({ ...scene(upstream.url, 0), routes })
    expect((await ask(gateway.url)).status).toBe(200)
  })
})
