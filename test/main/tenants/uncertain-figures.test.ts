import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { Config } from '../../../src/config.ts'
import { frameOf } from '../../../src/ledger/journal/frame.ts'
import { listSegments, segmentPath } from '../../../src/ledger/journal/segments.ts'
import { simulatorConfig, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { runCommand as run } from '../../harness/run-command.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'
import { startHeldUpstream } from '../../tenants/held-upstream.ts'
import { ask, configAt, keyWith, rule } from '../../tenants/stage.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const adminKey = 'pgm_admin-0123456789'

/** One key with one budget, which is all that is spent. */
function configOf(directory: string, url: string): Partial<Config> {
  const manager = { ...keyWith({ name: 'manager', kind: 'management', role: 'admin' }, adminKey) }
  const payer = keyWith({ budgets: [rule(1e9, { name: 'all' })], team: 'research' })
  const tenants = { keys: [payer, manager], teams: [{ ...team, id: 'research' }] }
  const ledger = { ...simulatorConfig.ledger, enabled: true }
  return { ...configAt(url, tenants), dataDirectory: directory, isDataDirectoryGiven: true, ledger }
}

const team = { models: [], providers: [], budgets: [], rates: {}, createdAtMs: 0, updatedAtMs: 0 }

test('what is uncertain is one figure: of the budget, the call and the report, also once it is settled', async () => {
  await using upstream = await startHeldUpstream({})
  const directory = await temporaryDirectory('uncertain-')
  await using gateway = await startTestGateway(configOf(directory, upstream.url))
  const id = await leave(gateway, upstream)
  const before = await figuresOf(gateway, id)
  expect(before.budget.uncertain).toBeGreaterThan(0)
  expect([before.call, before.report]).toEqual([before.budget, before.budget])
  const settled = await admin(gateway, 'POST', `/calls/${id}/settle`, { cost_usd: 0.000_1 })
  expect(settled).toMatchObject({ settled: true })
  await expect.poll(async () => (await figuresOf(gateway, id)).report.uncertain).toBe(0)
  const after = await figuresOf(gateway, id)
  expect(after.budget).toEqual({ cost: 100_000, uncertain: 0 })
  expect([after.call, after.report]).toEqual([after.budget, after.budget])
})

test('what a crash left uncertain is a call of its key: in reports, and written off by age', async () => {
  await using upstream = await startHeldUpstream({})
  const directory = await temporaryDirectory('uncertain-')
  const config = configOf(directory, upstream.url)
  await (await startTestGateway(config))[Symbol.asyncDispose]()
  const parts = [{ counter: `key:${keyWith({}).id}/all|total`, nanoUsd: 250_000 }]
  await appendLine(directory, { type: 'hold', id: 'req_lost', at: 1, owner: 'gone', parts, until: 1 })
  {
    await using gateway = await startTestGateway(config)
    const { budget, call, report } = await figuresOf(gateway, 'req_lost')
    expect(budget).toEqual({ cost: 0, uncertain: 250_000 })
    expect([call, report]).toEqual([budget, budget])
    const rows = await admin(gateway, 'GET', '/calls')
    expect(rows).toMatchObject([{ id: 'req_lost', key_name: 'tester', team: 'research', status: 500 }])
  }
  const invoice = join(directory, 'invoice.csv')
  await writeFile(invoice, 'day,cost\n2020-01-01,0\n')
  const file = join(directory, 'gateway.yaml')
  await writeFile(file, `dataDirectory: ${directory}\n`)
  vi.stubEnv('GATEWAY_CONFIG', file)
  vi.stubEnv('PORT', '1')
  const { printed } = await run('reconcile', invoice, '--write-off', '0h', '--json')
  expect(JSON.parse(printed).written_off).toEqual(['req_lost'])
  await using gateway = await startTestGateway(config)
  const { budget, call, report } = await figuresOf(gateway, 'req_lost')
  expect(budget).toEqual({ cost: 0, uncertain: 0 })
  expect([call, report]).toEqual([budget, budget])
})

/** A call whose caller leaves before an upstream answers. */
async function leave(
  gateway: TestGateway,
  upstream: { readonly asked: readonly unknown[] },
): Promise<string> {
  const leaving = new AbortController()
  const left = ask(gateway.url, {}, {}, leaving.signal).catch(() => undefined)
  await expect.poll(() => upstream.asked.length).toBe(1)
  leaving.abort()
  await left
  return (await gateway.recorded()).id
}

async function figuresOf(gateway: TestGateway, id: string) {
  const report = await admin(gateway, 'GET', '/usage')
  const budgets = (await admin(gateway, 'GET', '/budgets')) as readonly Figures[]
  const call = (await admin(gateway, 'GET', `/calls/${id}`)) as Figures
  const [row] = report as readonly Figures[]
  const budget = budgets.find(({ limit_nano_usd: limit }) => limit === 1e9)
  return {
    budget: { cost: budget?.spent_nano_usd, uncertain: budget?.uncertain_nano_usd ?? Number.NaN },
    call: { cost: call.cost_nano_usd, uncertain: call.uncertain_nano_usd },
    report: { cost: row?.cost_nano_usd, uncertain: row?.uncertain_nano_usd ?? Number.NaN },
  }
}

type Figures = Readonly<
  Record<'cost_nano_usd' | 'uncertain_nano_usd' | 'spent_nano_usd' | 'limit_nano_usd', number>
>

async function admin({ url }: TestGateway, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${url}/admin/api${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return ((await response.json()) as { data: unknown }).data
}

/** As a process leaves it that is killed. */
async function appendLine(directory: string, entry: object): Promise<void> {
  const journal = join(directory, 'journal')
  const path = segmentPath(journal, (await listSegments(journal)).at(-1)?.segment ?? 0)
  await writeFile(path, Buffer.concat([await readFile(path), frameOf(JSON.stringify(entry))]))
}
