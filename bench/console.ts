import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from '../src/ledger/store/sqlite/sqlite-store.ts'
import { startTestGateway } from '../test/harness/gateway.ts'
import { endMs, fill } from './ledger-fill.ts'

/**
 * Says how long a gateway takes for what each page of the console asks, over a ledger of calls of 90 days: a million,
 * unless another number is given, or the directory of a ledger that is there. `npm run bench:console -- 10000000`
 */
async function main([words = '1000000']: readonly string[]): Promise<void> {
  const isThere = existsSync(words)
  const directory = isThere ? words : mkdtempSync(join(tmpdir(), 'bench-console-'))
  try {
    if (!isThere) await make(directory, Number(words))
    await using gateway = await startTestGateway({
      ledger: { ...settings, enabled: true },
      dataDirectory: directory,
      isDataDirectoryGiven: true,
    })
    console.log(
      'page                              requests   server time, ms: first and median of five, all together',
    )
    for (const [page, paths] of pages) {
      const times = []
      for (let round = 0; round < 5; round++) times.push(await timeOf(paths, gateway.url))
      const [first = 0] = times
      const median = times.toSorted((one, other) => one - other)[2] ?? 0
      const numbers = `${first.toFixed(0).padStart(8)} ${median.toFixed(0).padStart(8)}`
      console.log(`${page.padEnd(34)} ${String(paths.length).padStart(7)} ${numbers}`)
    }
  } finally {
    if (!isThere) rmSync(directory, { recursive: true })
  }
}

const settings = {
  durability: 'process',
  spoolBytes: 67_108_864,
  keepCallsDays: 3650,
  keepRollupsDays: 3650,
} as const

async function make(directory: string, count: number): Promise<void> {
  if (!Number.isSafeInteger(count) || count < 1000)
    throw new Error('usage: npm run bench:console -- [CALLS | DIRECTORY]')
  await using store = openSqliteStore(join(directory, 'ledger.db'))
  await store.migrate()
  console.log(`${count} calls, ${Math.round(await fill(store, count))} a second`)
}

const dayMs = 86_400_000

/** What the pages ask: as their code has it. */
const pages: readonly (readonly [string, readonly string[]])[] = [
  ['overview, 24 hours', overview(1)],
  ['overview, 7 days', overview(7)],
  ['overview, 90 days', overview(90)],
  ['overview, 90 days, of a model', overview(90, '&model=model-3')],
  ['calls, 1 hour', calls(1 / 24)],
  ['calls, 24 hours', calls(1)],
  ['calls, 90 days', calls(90)],
  ['calls, 90 days, failed', calls(90, '&status=failed')],
  ['calls, 90 days, of a key', calls(90, '&key=key_50')],
  ['calls, 90 days, of a deployment', calls(90, '&deployment=model-3%40up-1')],
  ['calls, 90 days, dear ones', calls(90, '&min_cost=1')],
  ['calls, 90 days, slow failures', calls(90, '&status=502&min_ms=3900')],
  ['calls, 90 days, of a tag', calls(90, '&tags=nightly')],
  ['one call', ['/calls/req_none']],
  ['keys and budgets', ['/keys', '/teams', '/budgets']],
  ['one key', [`/usage?by=day&${span(30)}&key=key_50`]],
  ['one team', ['/keys?limit=500', '/settings', `/usage?by=day&${span(30)}&team=team-1`]],
  ['models and deployments', [`/usage?${span(1)}&by=deployment`, '/deployments', '/routes']],
  ['settings', ['/settings']],
]

function overview(days: number, narrowed = ''): readonly string[] {
  const by = days <= 3 ? 'hour' : 'day'
  return [
    `percentiles=true&compare=true`,
    `by=${by}&percentiles=true&limit=2500`,
    'by=model&percentiles=true&compare=true&limit=50',
    'by=failure&limit=50',
  ].map((asked) => `/usage?${span(days)}${narrowed}&${asked}`)
}

function calls(days: number, filter = ''): readonly string[] {
  return [`/calls?limit=50&${span(days)}${filter}`, `/calls/counts?${span(days)}${filter}`]
}

function span(days: number): string {
  return `from=${new Date(endMs - days * dayMs).toISOString()}&to=${new Date(endMs).toISOString()}`
}

/** All at once, as a browser asks. */
async function timeOf(paths: readonly string[], url: string): Promise<number> {
  const began = performance.now()
  await Promise.all(paths.map(async (path) => await (await fetch(`${url}/admin/api${path}`)).arrayBuffer()))
  return performance.now() - began
}

await main(process.argv.slice(2))
