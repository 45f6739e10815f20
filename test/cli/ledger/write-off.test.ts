import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { simulatorConfig, startTestGateway } from '../../harness/gateway.ts'
import { runCommand as run } from '../../harness/run-command.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'
import { startHeldUpstream } from '../../tenants/held-upstream.ts'
import { configAt, keyWith, rule } from '../../tenants/stage.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

test('what has been uncertain for longer is settled at the cost that is counted, once, and is in the audit', async () => {
  const directory = await temporaryDirectory('write-off-')
  const budgets = [rule(1e9, { name: 'all' })]
  {
    await using upstream = await startHeldUpstream({})
    const config = configAt(upstream.url, { keys: [keyWith({ budgets })] })
    const ledger = { ...simulatorConfig.ledger, enabled: true }
    await using gateway = await startTestGateway({
      ...config,
      dataDirectory: directory,
      isDataDirectoryGiven: true,
      ledger,
    })
    const leaving = new AbortController()
    const left = fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-budget-0123456789', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi.' }], max_tokens: 5 }),
      signal: leaving.signal,
    }).catch(() => undefined)
    await expect.poll(() => upstream.asked.length).toBe(1)
    leaving.abort()
    await left
    expect((await gateway.recorded()).attempts).toMatchObject([{ isUncertain: true }])
  }
  const file = join(directory, 'gateway.yaml')
  await writeFile(
    file,
    `dataDirectory: ${directory}\nproviders:\n  up: { type: openai-compatible, baseUrl: 'http://127.0.0.1:1/v1' }\nmodels:\n  m: { deployments: [{ provider: up, model: vendor/m }] }\n`,
  )
  const invoice = join(directory, 'invoice.csv')
  await writeFile(invoice, 'day,model,cost\n2020-01-01,vendor/m,0\n')
  vi.stubEnv('GATEWAY_CONFIG', file)
  vi.stubEnv('PORT', '1')
  const first = await run('reconcile', invoice, '--write-off', '0h', '--json')
  expect(first.code, first.printed).toBe(0)
  expect(JSON.parse(first.printed).written_off).toHaveLength(1)
  const again = await run('reconcile', invoice, '--write-off', '0h', '--json')
  expect(JSON.parse(again.printed)).toMatchObject({ written_off: [], pending: [] })
  expect(JSON.parse(again.printed).data).toMatchObject([
    { name: 'vendor/m', booked_nano_usd: 8000, uncertain_nano_usd: 0 },
  ])
})
