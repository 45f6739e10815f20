import { expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startHeldUpstream } from './held-upstream.ts'
import { ask, configAt } from './stage.ts'

const adminKey = 'pgm_admin-0123456789'
const usage = { prompt_tokens: 8, completion_tokens: 5 }
const cost = 18_000

test.for([
  ['another window', { limit_reset: 'monthly' }, ['limit']],
  ['another name', { limit: null, budgets: [{ name: 'own', limit: 1, window: 'day' }] }, ['own']],
  ['one more', { budgets: [{ name: 'own', limit: 1, window: 'month' }] }, ['limit', 'own']],
  ['none, and one again', { limit: null }, []],
] as const)('a limit that gets %s counts what the key has spent before', async ([, change, names]) => {
  await using upstream = await startHeldUpstream({ usage, isHeld: false })
  await using gateway = await start(upstream.url)
  const made = await changed(gateway, 'POST', '/keys', { name: 'ci', limit: 1, limit_reset: 'daily' })
  const called = await ask(gateway.url, {}, { authorization: `Bearer ${made.key}` })
  expect(called.status).toBe(200)
  await gateway.recorded()
  const path = `/keys/${made.data.hash}`
  const { data } = await changed(gateway, 'PATCH', path, change)
  expect(data.budgets.map(({ name }) => name)).toEqual(names)
  const { data: last } = names.length > 0 ? { data } : await changed(gateway, 'PATCH', path, { limit: 1 })
  for (const budget of last.budgets) expect(budget).toMatchObject({ spent_nano_usd: cost })
})

test.for([
  ['another window', { limit: 1, limit_reset: 'daily' }, { limit_reset: 'monthly' }],
  ['its first limit', {}, { limit: 1 }],
  ['another amount', { limit: 1 }, { limit: 2 }],
] as const)('a call that runs while its key gets %s counts there, once', async ([, before, change]) => {
  await using upstream = await startHeldUpstream({ usage })
  await using gateway = await start(upstream.url)
  const made = await changed(gateway, 'POST', '/keys', { name: 'ci', ...before })
  const running = ask(gateway.url, {}, { authorization: `Bearer ${made.key}` })
  await expect.poll(() => upstream.asked.length).toBe(1)
  const path = `/keys/${made.data.hash}`
  await changed(gateway, 'PATCH', path, change)
  upstream.release()
  expect((await running).status).toBe(200)
  await gateway.recorded()
  const { data } = await changed(gateway, 'PATCH', path, {})
  expect(data).toMatchObject({ usage_nano_usd: cost, budgets: [{ spent_nano_usd: cost }] })
})

type Changed = {
  readonly key: string
  readonly data: { readonly hash: string; readonly budgets: readonly { readonly name: string }[] }
}

function start(url: string): Promise<TestGateway> {
  const { tenants: _, ...config } = configAt(url, {})
  return startTestGateway({ ...config, keys: [], adminKeys: [{ key: adminKey, role: 'admin' }] })
}

async function changed(gateway: TestGateway, method: string, path: string, body: object): Promise<Changed> {
  const response = await fetch(`${gateway.url}/admin/api${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return (await response.json()) as Changed
}
