import type { CallLine } from '../../core/model/record/call-line.ts'

/** What calls are summed by. Each is a text; '' where a call has none. `failure`: what it failed of, or `left`. */
export const dimensions = ['key', 'team', 'model', 'provider', 'deployment', 'tags', 'failure'] as const

export type Dimension = (typeof dimensions)[number]

/** What is summed. Money is in whole nano-USD. */
export const counts = [
  'requests',
  'errors',
  'prompt_tokens',
  'cached_tokens',
  'completion_tokens',
  'reasoning_tokens',
  'cost',
  'uncertain',
  'baseline',
  'saved',
] as const

export type Count = (typeof counts)[number]

/** Upper bounds of the histograms' buckets in milliseconds; the last bucket has none. */
export const bucketBoundsMs = Array.from({ length: 13 }, (_, index) => 25 * 2 ** index)

const buckets = Array.from({ length: bucketBoundsMs.length + 1 }, (_, index) => index)

/** Whole calls by their duration, and answers by their time to the first token. */
export const latencyColumns = buckets.map((bucket) => `latency_${bucket}`)
export const firstTokenColumns = buckets.map((bucket) => `first_token_${bucket}`)

export const measures: readonly string[] = [...counts, ...latencyColumns, ...firstTokenColumns]

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

/** The sums of one combination in one hour or day. */
export type RollupRow = {
  /** When the hour or day begins, in UTC. */
  readonly at: number
  /** In the order of `dimensions`. */
  readonly names: readonly string[]
  /** In the order of `measures`. */
  readonly sums: Float64Array
}

/** Sums of calls by time and dimensions. */
export interface Rollups {
  add(names: readonly string[], at: number, sums: Float64Array): void
  rows(): readonly RollupRow[]
}

export function createRollups(spanMs: number): Rollups {
  const rows = new Map<string, RollupRow>()
  return {
    add(names, at, sums) {
      const start = at - (at % spanMs)
      const key = `${start}\n${names.join('\n')}`
      const known = rows.get(key)
      if (known === undefined) rows.set(key, { at: start, names, sums: sums.slice() })
      else for (const [index, value] of sums.entries()) known.sums[index] = (known.sums[index] ?? 0) + value
    },
    // Always in one order: two writers that lock the same rows in another order would wait for each other.
    rows: () => [...rows.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row),
  }
}

/** What one call adds, in the order of `measures`. */
export function sumsOf(call: CallLine): Float64Array {
  const sums = new Float64Array(measures.length)
  const set = (name: Count, value: number | null | undefined) => {
    sums[counts.indexOf(name)] = value ?? 0
  }
  set('requests', 1)
  set('errors', call.status >= 400 && call.outcome !== 'left' ? 1 : 0)
  set('prompt_tokens', call.promptTokens)
  set('cached_tokens', call.cachedTokens)
  set('completion_tokens', call.completionTokens)
  set('reasoning_tokens', call.reasoningTokens)
  set('cost', call.costNanoUsd)
  set('uncertain', uncertainOf(call))
  set('baseline', call.baselineNanoUsd)
  set('saved', call.savedNanoUsd)
  sums[counts.length + bucketOf(call.totalMs)] = 1
  if (call.firstTokenMs !== undefined) sums[counts.length + buckets.length + bucketOf(call.firstTokenMs)] = 1
  return sums
}

/** What may have been charged for attempts that told nothing: a part of the cost. */
function uncertainOf({ attempts }: CallLine): number {
  return attempts.reduce((sum, { uncertain, costNanoUsd }) => sum + (uncertain ? (costNanoUsd ?? 0) : 0), 0)
}

function bucketOf(ms: number): number {
  const bucket = bucketBoundsMs.findIndex((bound) => ms <= bound)
  return bucket === -1 ? bucketBoundsMs.length : bucket
}
