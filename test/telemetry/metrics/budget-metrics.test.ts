import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { plainAdminKey } from '../../../src/config/tenancy.ts'
import { showBudgets } from '../../../src/telemetry/metrics/budget-metrics.ts'
import { startTestGateway } from '../../harness/gateway.ts'
import { startHeldUpstream } from '../../tenants/held-upstream.ts'
import { ask, configAt, keyWith, rule } from '../../tenants/stage.ts'

const usage = { prompt_tokens: 8, completion_tokens: 5 }

test('budgets are shown by name: limit, spent, held, and refused calls', async () => {
  await using upstream = await startHeldUpstream({ usage })
  const manager = plainAdminKey('pgm_metrics-0123456789', 'metrics')
  const keys = [keyWith({ budgets: [rule(400_000, { name: 'small' })] }), manager]
  const config = configAt(upstream.url, { keys, budgets: [rule(2e9, { window: 'month' })] })
  await using gateway = await startTestGateway(config)
  const headers = { authorization: 'Bearer pgm_metrics-0123456789' }
  const shown = async () => (await (await fetch(`${gateway.url}/metrics`, { headers })).text()).split('\n')
  const held = ask(gateway.url)
  await expect.poll(() => upstream.asked.length).toBe(1)
  expect((await ask(gateway.url)).status).toBe(429)
  await gateway.recorded(1)
  const during = await shown()
  expect(during).toContain('pandotate_budget_limit_usd{budget="tester small"} 0.0004')
  expect(during).toContain('pandotate_budget_refusals_total{budget="tester small"} 1')
  expect(during).toContainEqual(
    expect.stringMatching(/^pandotate_budget_held_usd\{budget="tester small"\} 0\.000\d+$/),
  )
  upstream.release()
  await (await held).text()
  await gateway.recorded(2)
  const after = await shown()
  expect(after).toContain('pandotate_budget_held_usd{budget="tester small"} 0')
  expect(after).toContain('pandotate_budget_spent_usd{budget="gateway monthly"} 0.000018')
  expect(after).toContain('pandotate_budget_uncertain_usd{budget="gateway monthly"} 0')
})

test('budgets beyond 200 are shown as one', async () => {
  const registry = new Registry()
  const budgets = Array.from({ length: 250 }, (_, at) => ({
    title: `key ${at}`,
    ...{ limitNanoUsd: 1e9, spentNanoUsd: 5e8, heldNanoUsd: 0, uncertainNanoUsd: 0, refused: 1 },
  }))
  showBudgets(registry, async () => budgets)
  const lines = (await registry.metrics()).split('\n')
  expect(lines.filter((line) => line.startsWith('pandotate_budget_limit_usd{'))).toHaveLength(201)
  expect(lines).toContain('pandotate_budget_limit_usd{budget="other"} 50')
  expect(lines).toContain('pandotate_budget_refusals_total{budget="other"} 50')
})
