import { expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { startHeldUpstream } from '../held-upstream.ts'
import { ask, configAt, keyWith, price, rule, secret } from '../stage.ts'

test.for([
  ['that stops billing when it is left: what was sent is what it cost', true],
  ['that may bill the rest: that is uncertain, up to what was held', false],
] as const)('a stream whose caller leaves, at an upstream %s', async ([, stopsOnAbort]) => {
  await using upstream = await startHeldUpstream({ words: 100_000, isHeld: false })
  const config = configAt(upstream.url, { keys: [keyWith({ budgets: [rule(1e12)] })] })
  const deployments = [{ provider: 'up', price: [{ price }], billing: { stopsOnAbort } }]
  const routes = [{ pattern: '*', strategy: 'fallback' as const, deployments }]
  await using gateway = await startTestGateway({ ...config, routes })
  const leaving = new AbortController()
  const response = await ask(gateway.url, { stream: true, max_tokens: 200_000 }, {}, leaving.signal)
  await response.body?.getReader().read()
  leaving.abort()
  const { outcome, attempts } = await gateway.recorded()
  const [attempt] = attempts
  const { costNanoUsd = 0, heldNanoUsd = 0, isUncertain } = attempt ?? {}
  expect([outcome, isUncertain]).toEqual(['left', !stopsOnAbort])
  expect(costNanoUsd).toBeGreaterThan(0)
  const rest = stopsOnAbort ? 0 : heldNanoUsd - costNanoUsd
  expect(await uncertainOf(gateway)).toBe(rest)
})

async function uncertainOf({ url }: TestGateway): Promise<number> {
  const response = await fetch(`${url}/v1/key`, { headers: { authorization: `Bearer ${secret}` } })
  const { data } = (await response.json()) as { data: { uncertain_nano_usd: number } }
  return data.uncertain_nano_usd
}
