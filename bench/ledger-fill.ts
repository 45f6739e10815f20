import { batchOf, type Line } from '../src/ledger/store/batch.ts'
import { dayMs } from '../src/ledger/store/rollup.ts'
import type { Store } from '../src/ledger/store/store.ts'

export const days = 90
export const keys = 100
const models = 20
export const startMs = Date.UTC(2026, 8, 1)
export const endMs = startMs + days * dayMs

/** Fills a store with calls, the same each time; gives how many it took a second. */
export async function fill(store: Store, count: number): Promise<number> {
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

/** The same calls each time: a linear congruential generator. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
