import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../../harness/gateway.ts'
import { startHeldUpstream } from '../held-upstream.ts'
import { ask, configAt, keyWith, rule } from '../stage.ts'

const usage = { prompt_tokens: 8, completion_tokens: 5 }

/** What one such call holds. */
async function heldByOne(): Promise<number> {
  await using upstream = await startHeldUpstream({ usage, isHeld: false })
  await using gateway = await startTestGateway(
    configAt(upstream.url, { keys: [keyWith({ budgets: [rule(1e12)] })] }),
  )
  const response = await ask(gateway.url)
  expect(response.status).toBe(200)
  await response.text()
  const { attempts } = await gateway.recorded()
  return attempts[0]?.heldNanoUsd ?? 0
}

describe('500 concurrent calls, over three budgets that they share', () => {
  test('as many pass as there is room for, nothing is overspent, and what was held is there again', async () => {
    const held = await heldByOne()
    expect(held).toBeGreaterThan(200_000)
    const room = 37
    await using upstream = await startHeldUpstream({ usage })
    const key = keyWith({ team: 'team', budgets: [rule(held * 40)] })
    const team = { id: 'team', budgets: [rule(held * (room + 1) - 1)], rates: {}, models: [], providers: [] }
    await using gateway = await startTestGateway(
      configAt(upstream.url, {
        keys: [key],
        teams: [{ ...team, createdAtMs: 0, updatedAtMs: 0 }],
        budgets: [rule(held * 200, { window: 'month' })],
      }),
    )
    let answered = 0
    const { promise: allDecided, resolve } = Promise.withResolvers<void>()
    const calls = Array.from({ length: 500 }, async (_, at) => {
      const response = await ask(gateway.url, at % 2 === 0 ? {} : { stream: true })
      if (response.status !== 200) answered++
      if (answered === 500 - room) resolve()
      return { status: response.status, text: await response.text() }
    })
    await allDecided
    expect(upstream.asked).toHaveLength(room)
    upstream.release()
    const told = await Promise.all(calls)
    expect(told.filter(({ status }) => status === 200)).toHaveLength(room)
    const refused = told.find(({ status }) => status !== 200)
    expect(refused?.status).toBe(429)
    expect(JSON.parse(refused?.text ?? '').error).toMatchObject({ code: 'rate_limit_exceeded' })
    await gateway.recorded(500)
    const spent = room * (usage.prompt_tokens * 1000 + usage.completion_tokens * 2000)
    expect(gateway.records.reduce((sum, { costNanoUsd = 0 }) => sum + costNanoUsd, 0)).toBe(spent)
    // Nothing is held any more: what is left of the limit is there for others, one after the other.
    for (let call = 0; call < 20; call++) expect((await ask(gateway.url)).status).toBe(200)
  })
})

describe('a budget that is used up', () => {
  test('refuses by OpenAI’s own word for it, tells all about it, and says that no retry will help', async () => {
    const held = await heldByOne()
    await using upstream = await startHeldUpstream({ usage, isHeld: false })
    await using gateway = await startTestGateway(
      configAt(upstream.url, { keys: [keyWith({ budgets: [rule(held, { window: 'year' })] })] }),
    )
    expect((await ask(gateway.url)).status).toBe(200)
    const response = await ask(gateway.url)
    expect(response.status).toBe(429)
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(response.headers.get('retry-after')).toBeNull()
    expect(response.headers.get('x-pandotate-limit')).toMatch(/^budget\/key:[0-9a-f]{64}\/year$/)
    const { error } = (await response.json()) as { error: { message: string } }
    expect(error).toMatchObject({ type: 'insufficient_quota', code: 'insufficient_quota', param: null })
    expect(error.message).toContain('Budget "tester yearly" has no room for this call: limit $0.0002')
    expect(error.message).toContain('spent $0.000018, held $0.00, uncertain $0.00')
    expect(error.message).toMatch(/It resets at \d{4}-01-01T00:00:00Z\./)
    expect(upstream.asked).toHaveLength(1)
  })
})
