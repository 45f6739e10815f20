import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dayMs, hourMs } from '../src/ledger/store/rollup.ts'
import { openSqliteStore } from '../src/ledger/store/sqlite/sqlite-store.ts'
import type { Store } from '../src/ledger/store/store.ts'
import { days, endMs, fill, keys, startMs } from './ledger-fill.ts'

/**
 * Fills a ledger with calls of 90 days, ten million unless another number is given, and says how long its reports and
 * its pages take. `npm run bench:ledger -- 1000000 DIRECTORY` leaves it in a data directory.
 */
async function main([words = '10000000', kept]: readonly string[]): Promise<void> {
  const count = Number(words)
  if (!Number.isSafeInteger(count) || count < 1000)
    throw new Error('usage: npm run bench:ledger -- [CALLS] [DIRECTORY]')
  if (kept !== undefined) mkdirSync(kept, { mode: 0o700 })
  const directory = kept ?? mkdtempSync(join(tmpdir(), 'bench-ledger-'))
  const path = join(directory, 'ledger.db')
  try {
    await using store = openSqliteStore(path)
    await store.migrate()
    const perSecond = await fill(store, count)
    const gibibytes = statSync(path).size / 1024 ** 3
    console.log(
      `${count} calls over ${days} days, ${gibibytes.toFixed(1)} GiB, ${Math.round(perSecond)} calls a second\n`,
    )
    for (const [name, ask] of questions(store)) console.log(`${name.padEnd(44)} ${await timesOf(ask)}`)
  } finally {
    if (kept === undefined) rmSync(directory, { recursive: true })
  }
}

function questions(store: Store): readonly (readonly [string, () => Promise<unknown>])[] {
  const usage = (by: Parameters<Store['usage']>[0]['by'], from: number, filters = {}) =>
    store.usage({ from, to: endMs, by, filters, withHistograms: false, limit: 1000 })
  const middle = { at: startMs + 45 * dayMs, id: 'req_8' }
  return [
    ['usage, 90 days', () => usage([], startMs)],
    ['usage, 90 days, by key', () => usage(['key'], startMs)],
    ['usage, 90 days, by key and model', () => usage(['key', 'model'], startMs)],
    ['usage, 90 days, by day', () => usage(['day'], startMs)],
    ['usage, 90 days, by day, of one key', () => usage(['day'], startMs, { key: 'key_50' })],
    ['usage, 30 days less an hour, by model', () => usage(['model'], endMs - 30 * dayMs + hourMs)],
    ['usage, 48 hours, by hour', () => usage(['hour'], endMs - 2 * dayMs)],
    ['100 calls, the latest', () => store.calls({ limit: 100, filters: {} })],
    ['100 calls, from the middle', () => store.calls({ limit: 100, filters: {}, before: middle })],
    ['100 calls of the rarest key', () => store.calls({ limit: 100, filters: { key: `key_${keys - 1}` } })],
    [
      '100 calls of a model, from the middle',
      () => store.calls({ limit: 100, filters: { model: 'model-3' }, before: middle }),
    ],
    [
      '100 failed calls, from the middle',
      () => store.calls({ limit: 100, filters: { failed: true }, before: middle }),
    ],
    [
      '100 failed calls of the rarest key',
      () => store.calls({ limit: 100, filters: { failed: true, key: `key_${keys - 1}` } }),
    ],
    ['one call that is not there', () => store.call('req_none')],
  ]
}

async function timesOf(ask: () => Promise<unknown>): Promise<string> {
  const times: number[] = []
  for (let round = 0; round < 5; round++) {
    const began = performance.now()
    await ask()
    times.push(performance.now() - began)
  }
  const [first = 0] = times
  const median = times.toSorted((one, other) => one - other)[2] ?? 0
  return `${median.toFixed(1).padStart(8)} ms, at first ${first.toFixed(1)} ms`
}

await main(process.argv.slice(2))
