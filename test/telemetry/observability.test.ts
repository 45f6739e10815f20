import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { allMetrics } from '../../bench/docs/all-metrics.ts'
import { observabilityPage } from '../../bench/docs/observability.ts'
import { startRecord } from '../../src/core/model/record/record.ts'
import { anAttempt } from './attempt-record.ts'

describe('docs/observability.md', () => {
  test('is generated from the tables in the code (else: npm run docs)', async () => {
    const page = await readFile(new URL('../../docs/observability.md', import.meta.url), 'utf8')
    expect(page).toBe(observabilityPage(allMetrics().described()))
  })

  test('has every exposed metric, with its labels', async () => {
    const metrics = allMetrics()
    metrics.write({
      ...startRecord('req_1', 'chat'),
      ...{ deployment: 'm@one', attempts: [anAttempt()], firstTokenMs: 1 },
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    })
    const described = new Map(metrics.described().map((one) => [one.name, one]))
    for (const [, name = '', labels = ''] of (await metrics.text()).matchAll(
      /^(pandotate_\w+)(?:\{(.*)\})? /gm,
    )) {
      const known = described.get(name) ?? described.get(name.replace(/_(bucket|sum|count)$/, ''))
      expect(known, name).toBeDefined()
      const shown = [...labels.matchAll(/(\w+)="/g)]
        .map(([, label = '']) => label)
        .filter((label) => label !== 'le')
      expect(known?.labels.toSorted()).toEqual(shown.toSorted())
    }
  })
})

const promtool = spawnSync('promtool', ['--version']).error === undefined

test.skipIf(!promtool)('promtool accepts our metrics (skipped without promtool)', async () => {
  const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: await allMetrics().text(),
    encoding: 'utf8',
  })
  // The rest are prom-client's own names.
  const ours = `${stdout}\n${stderr}`
    .split('\n')
    .filter((line) => /^pandotate_|error/i.test(line) && !/^nodejs_/.test(line))
  expect(ours).toEqual([])
})
