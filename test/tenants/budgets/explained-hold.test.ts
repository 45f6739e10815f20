import { describe, expect, test } from 'vitest'
import type { Config } from '../../../src/config.ts'
import { noTenants } from '../../../src/tenants/settings.ts'
import { startTestGateway } from '../../harness/gateway.ts'
import { startHeldUpstream } from '../held-upstream.ts'
import { ask, configAt, keyWith, price, rule, secret } from '../stage.ts'

const usage = { prompt_tokens: 8, completion_tokens: 5 }
const spent = 8 * 1000 + 5 * 2000

async function explain(url: string, body: object = {}, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/v1/route/explain`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      model: 'm',
      messages: [{ role: 'user', content: 'Say something, please.' }],
      max_tokens: 100,
      ...body,
    }),
  })
  return { status: response.status, body: (await response.json()) as Explained }
}

/** The fields of an explanation that these tests read. */
type Explained = {
  readonly hold: {
    readonly amount_nano_usd: number
    readonly budgets: readonly Standing[]
    readonly refused_with: object | null
  }
  readonly candidates: readonly { readonly deployment: string }[]
  readonly plan: readonly string[]
  readonly error: { readonly code: string }
}

type Standing = {
  readonly held_nano_usd: number
  readonly spent_nano_usd: number
  readonly wanted_nano_usd: number
}

describe('the hold that a call would take', () => {
  test('is none where no budget applies', async () => {
    await using gateway = await startTestGateway(configAt('http://127.0.0.1:9/v1', {}))
    expect((await explain(gateway.url)).body.hold).toBeNull()
  })

  test('is what the call then holds, with every budget that it would be held on', async () => {
    await using upstream = await startHeldUpstream({ usage })
    const budgets = [rule(1e9, { name: 'all' }), rule(5e8, { name: 'others', models: ['x-*'] })]
    const tenants = { keys: [keyWith({ budgets })], budgets: [rule(2e9, { window: 'month' })] }
    await using gateway = await startTestGateway(configAt(upstream.url, tenants))
    const { body } = await explain(gateway.url)
    expect(body.hold).toMatchObject({ outcome: 'whole', completion_tokens: 100, refused_with: null })
    expect(body.hold.budgets).toMatchObject([
      {
        ...{
          title: 'tester all',
          window: 'total',
          resets_at: null,
          limit_nano_usd: 1e9,
          limit_usd: '1.000000000',
        },
        ...{ spent_nano_usd: 0, held_nano_usd: 0, uncertain_nano_usd: 0, blocks: false },
        wanted_nano_usd: body.hold.amount_nano_usd,
      },
      { title: 'gateway monthly', resets_at: expect.any(String), limit_nano_usd: 2e9, blocks: false },
    ])
    const answered = ask(gateway.url)
    await expect.poll(() => upstream.asked.length).toBe(1)
    const during = (await explain(gateway.url)).body.hold
    expect(during.budgets[0]?.held_nano_usd).toBe(body.hold.amount_nano_usd)
    upstream.release()
    await (await answered).text()
    await gateway.recorded()
    const after = (await explain(gateway.url)).body.hold
    expect(after.budgets[0]).toMatchObject({ held_nano_usd: 0, spent_nano_usd: spent })
    expect(upstream.asked).toHaveLength(1)
  })

  test('that a budget has no room for is reported with who blocks, and what the call is refused with', async () => {
    await using upstream = await startHeldUpstream({ usage, isHeld: false })
    const budgets = [rule(1e9, { name: 'wide' }), rule(100_000, { name: 'narrow' })]
    await using gateway = await startTestGateway(configAt(upstream.url, { keys: [keyWith({ budgets })] }))
    const { status, body } = await explain(gateway.url)
    expect(status).toBe(200)
    expect(body.hold).toMatchObject({ outcome: 'refused', amount_nano_usd: null, completion_tokens: null })
    expect(body.hold.budgets).toMatchObject([
      { title: 'tester wide', blocks: false },
      { title: 'tester narrow', blocks: true, limit_nano_usd: 100_000 },
    ])
    expect(body.hold.budgets[1]?.wanted_nano_usd).toBeGreaterThan(200_000)
    const refused = await ask(gateway.url)
    const { error } = (await refused.json()) as { error: { message: string; code: string } }
    expect(body.hold.refused_with).toMatchObject({
      ...{ status: refused.status, code: error.code, message: error.message },
    })
    expect(upstream.asked).toHaveLength(0)
  })

  test('that only other calls stand in the way of would be refused for the moment', async () => {
    await using upstream = await startHeldUpstream({ usage })
    const keys = [keyWith({ budgets: [rule(400_000)] })]
    await using gateway = await startTestGateway(configAt(upstream.url, { keys }))
    const answered = ask(gateway.url)
    await expect.poll(() => upstream.asked.length).toBe(1)
    const { hold } = (await explain(gateway.url)).body
    expect(hold.refused_with).toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
    expect(hold.budgets).toMatchObject([{ blocks: true, spent_nano_usd: 0 }])
    upstream.release()
    await (await answered).text()
  })

  test.for<[string, Partial<Config['tenants']['terms']>, boolean, number]>([
    ['sliced', { sliceTokens: 100, marginTokens: 20 }, true, 100],
    ['clamped', { clamp: true }, false, expect.any(Number) as unknown as number],
  ])('of an answer that does not fit as a whole: %s', async ([outcome, terms, stopsOnAbort, tokens]) => {
    const tenants = {
      keys: [keyWith({ budgets: [rule(550_000)] })],
      terms: { ...noTenants.terms, ...terms },
    }
    const config = configAt('http://127.0.0.1:9/v1', tenants)
    const deployments = [{ provider: 'up', price: [{ price }], billing: { stopsOnAbort } }]
    const routes = [{ pattern: '*', strategy: 'fallback' as const, deployments }]
    await using gateway = await startTestGateway({ ...config, routes })
    const { hold } = (await explain(gateway.url, { max_tokens: 4000 })).body
    expect(hold).toMatchObject({ outcome, completion_tokens: tokens, refused_with: null })
    expect(hold.amount_nano_usd).toBeLessThanOrEqual(550_000)
    expect(hold.budgets).toMatchObject([{ wanted_nano_usd: hold.amount_nano_usd, blocks: false }])
  })

  test('of an end user is held on their own budget', async () => {
    await using upstream = await startHeldUpstream({ usage, isHeld: false })
    const keys = [keyWith({ budgets: [rule(1e9, { isPerUser: true })] })]
    await using gateway = await startTestGateway(configAt(upstream.url, { keys }))
    await (await ask(gateway.url, {}, { 'x-pandotate-user': 'ann' })).text()
    await gateway.recorded()
    const spentOf = async (user: string) =>
      (await explain(gateway.url, {}, { 'x-pandotate-user': user })).body.hold.budgets[0]?.spent_nano_usd
    expect([await spentOf('ann'), await spentOf('bob')]).toEqual([spent, 0])
    expect((await explain(gateway.url)).body.hold).toBeNull()
  })
})

describe('what the key allows', () => {
  test('leaves providers out, each with the reason', async () => {
    const config = configAt('http://127.0.0.1:9/v1', { keys: [keyWith({ providers: ['other'] })] })
    const [up] = config.providers ?? []
    const providers = up === undefined ? [] : [up, { ...up, name: 'other' }]
    const deployments = [{ provider: 'up' }, { provider: 'other' }]
    const routes = [{ pattern: '*', strategy: 'fallback' as const, deployments }]
    await using gateway = await startTestGateway({ ...config, providers, routes })
    const { body } = await explain(gateway.url)
    expect(body.candidates).toMatchObject([
      { provider: 'up', removed_by: { filter: 'tenant', reason: expect.stringContaining('may not use') } },
      { provider: 'other', removed_by: null },
    ])
    expect(new Set(body.plan)).toEqual(new Set([body.candidates[1]?.deployment]))
  })

  test('and models, as the call itself would be refused', async () => {
    const config = configAt('http://127.0.0.1:9/v1', { keys: [keyWith({ models: ['x-*'] })] })
    await using gateway = await startTestGateway(config)
    const { status, body } = await explain(gateway.url)
    expect([status, body.error.code]).toEqual([404, 'model_not_found'])
  })
})
