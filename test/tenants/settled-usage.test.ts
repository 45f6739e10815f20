import { expect, test } from 'vitest'
import { noTenants } from '../../src/tenants/settings.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { startHeldUpstream } from './held-upstream.ts'
import { ask, configAt, keyWith, rule, secret } from './stage.ts'

const admin = 'pgm_admin-0123456789'

test('what an uncertain call came to is in the usage of its key, too', async () => {
  await using upstream = await startHeldUpstream()
  const manager = keyWith({ id: 'm', name: 'manager', kind: 'management', role: 'admin' }, admin)
  const { tenants, ...config } = configAt(upstream.url, {})
  const keys = [keyWith({ budgets: [rule(1e9), rule(1e9, { window: 'month' })] }), manager]
  await using gateway = await startTestGateway({ ...config, tenants: { ...noTenants, ...tenants, keys } })
  const moneyOf = async () => {
    const response = await fetch(`${gateway.url}/v1/key`, { headers: { authorization: `Bearer ${secret}` } })
    const { data } = (await response.json()) as { data: Record<string, number> }
    return [data['usage_nano_usd'], data['usage_daily_nano_usd'], data['uncertain_nano_usd']]
  }
  await ask(gateway.url, {}, { 'x-pandotate-timeout-ms': '100' })
  const { id, costNanoUsd } = await gateway.recorded()
  const [known, , uncertain] = await moneyOf()
  expect([known, uncertain]).toEqual([costNanoUsd, expect.toSatisfy((amount: number) => amount > 0)])
  const settled = await fetch(`${gateway.url}/admin/api/calls/${id}/settle`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ cost_usd: 0.00015 }),
  })
  expect(settled.status).toBe(200)
  expect(await moneyOf()).toEqual([150_000, 150_000, 0])
})
