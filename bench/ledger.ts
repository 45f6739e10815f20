import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { batchOf, type Line } from '../src/ledger/store/batch.ts'
import { dayMs, hourMs } from '../src/ledger/store/rollup.ts'
import { openSqliteStore } from '../src/ledger/store/sqlite/sqlite-store.ts'
import type { Store } from '../src/ledger/store/store.ts'

/**
 * Fills a ledger with calls of 90 days, ten million unless another number is given, and says how long its reports and its
 * pages take. `npm run bench:ledger -- 1000000 DIRECTORY` leaves it in a data directory.
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
      `${count} calls over 90 days, ${gibibytes.toFixed(1)} GiB, ${Math.round(perSecond)} calls a second\n`,
    )
    for (const [name, ask] of questions(store)) console.log(`${name.padEnd(44)} ${await timesOf(ask)}`)
  } finally {
    if (kept === undefined) rmSync(directory, { recursive: true })
  }
}

const days = 90
const keys = 100
const models = 20
const startMs = Date.UTC(2026, 8, 1)
const endMs = startMs + days * dayMs

async function fill(store: Store, count: number): Promise<number> {
  const began = performance.now()
  const random = randomFrom(1)
  for (let first = 0; first < count; first += batchCalls) {
    const size = Math.min(batchCalls, count - first)
    const lines = Array.from({ length: size }, (_, at) => lineOf(first + at, count, random))
    const to = { segment: 1, offset: first + size }
    await store.write('bench', batchOf(lines, to))
  }
  return (count / (performance.now() - began)) * 1000
}

const batchCalls = 5000

function lineOf(nth: number, count: number, random: () => number): Line {
  const at = Math.floor(startMs + ((endMs - startMs) * nth) / count)
  // A few keys make most of the calls, and each asks for a few models.
  const key = Math.floor(keys * random() ** 3)
  const model = (key * 7 + Math.floor(models * random() ** 2)) % models
  const isFailed = random() < 0.01
  const id = `req_${Math.floor(random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0')}${String(nth).padStart(20, '0')}`
  const text = `{"type":"call","at":${at},"requestId":"${id}","dialect":"chat","principal":"key_${key}","model":"model-${model}","kind":"chat","stream":false,"deployment":"model-${model}@up-${key % 3}","provider":"up-${key % 3}","status":${isFailed ? 502 : 200},"outcome":"${isFailed ? 'failed' : 'ok'}","attempts":[{"deployment":"model-${model}@up-${key % 3}","outcome":"ok","startMs":0.4,"headersMs":210.2,"totalMs":${(random() * 4000).toFixed(2)},"upstreamStatus":200,"delivered":true,"costNanoUsd":${Math.floor(random() * 1e6)},"used":{"promptTokens":900,"cachedTokens":0,"completionTokens":210}}],"parseMs":0.11,"firstTokenMs":${(random() * 900).toFixed(2)},"totalMs":${(random() * 4000).toFixed(2)},"overheadMs":0.42,"promptTokens":900,"completionTokens":210,"usageEstimated":false,"costNanoUsd":${Math.floor(random() * 1e6)},"costEstimated":false,"slow":false,"requestBytes":4100,"responseBytes":1300}`
  return { text, end: { segment: 1, offset: nth } }
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

/** The same calls each time: a linear congruential generator. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

await main(process.argv.slice(2))
