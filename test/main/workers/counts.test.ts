import { expect, test } from 'vitest'
import { startRecord } from '../../../src/core/model/record/record.ts'
import { createCounts } from '../../../src/main/workers/counts.ts'
import type { BudgetCounts } from '../../../src/telemetry/metrics/budget-metrics.ts'
import { createMetrics, type Metrics } from '../../../src/telemetry/metrics/metrics.ts'

const budget: BudgetCounts = {
  ...{ title: 'gateway', limitNanoUsd: 10e9, spentNanoUsd: 2e9, heldNanoUsd: 1e9, uncertainNanoUsd: 5e8 },
  refused: 0,
}

test('a budget is shown as it is, not once for each process; what each refused is summed', async () => {
  const primary = createMetrics({ budgets: async () => [budget] })
  const workers = [2, 3].map((refused) => createMetrics({ budgets: async () => [{ ...budget, refused }] }))
  const lines = await scrape(createCounts(), primary, workers)
  expect(lines.filter((line) => line.startsWith('pandotate_budget_'))).toEqual([
    'pandotate_budget_limit_usd{budget="gateway"} 10',
    'pandotate_budget_spent_usd{budget="gateway"} 2',
    'pandotate_budget_held_usd{budget="gateway"} 1',
    'pandotate_budget_uncertain_usd{budget="gateway"} 0.5',
    'pandotate_budget_refusals_total{budget="gateway"} 5',
  ])
})

test('what a worker counted stays counted when it has ended, what it saved too', async () => {
  const primary = createMetrics()
  const worker = createMetrics()
  worker.write({ ...startRecord('req_1', 'chat'), status: 200, costNanoUsd: 1e9, savedNanoUsd: 2e9 })
  const counts = createCounts()
  const before = await scrape(counts, primary, [worker])
  expect(before).toContain('pandotate_saved_usd 2')
  counts.keep('worker-0')
  const after = await scrape(counts, primary, [])
  expect(after).toContain('pandotate_saved_usd 2')
  expect(callsIn(after)).toEqual(callsIn(before))
  expect(callsIn(after)).toHaveLength(1)
})

function callsIn(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.startsWith('pandotate_calls_total'))
}

/** The lines that a scraper sees. */
async function scrape(
  counts: ReturnType<typeof createCounts>,
  primary: Metrics,
  workers: readonly Metrics[],
): Promise<readonly string[]> {
  const owned = await Promise.all(
    workers.map(async (worker, at) => ({ owner: `worker-${at}`, values: await worker.values() })),
  )
  return (await counts.sum(await primary.values(), owned)).split('\n')
}
