import type { CallLine } from '../../core/model/record/call-line.ts'

/** The dimensions of sums. Each is a text; '' if a call has none. `failure`: the kind of its failure, or `left`. */
export const dimensions = ['key', 'team', 'model', 'provider', 'deployment', 'tags', 'failure'] as const

export type Dimension = (typeof dimensions)[number]

/**
 * Dimensions that can filter both calls and sums. Tags cannot: sums are by all tags of a call together, filters by
 * single ones.
 */
export const singleDimensions = dimensions.filter((name) => name !== 'tags')

/** The summed values. Money is in whole nano-USD. */
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

/** Durations of whole calls, and first-token times of answers. */
export const latencyColumns = buckets.map((bucket) => `latency_${bucket}`)
export const firstTokenColumns = buckets.map((bucket) => `first_token_${bucket}`)

export const measures: readonly string[] = [...counts, ...latencyColumns, ...firstTokenColumns]

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

/** The sums of one combination in one hour or day. */
export type RollupRow = {
  /** The start of the hour or day, in UTC. */
  readonly at: number
  /** In the order of `dimensions`. */
  readonly names: readonly string[]
  /** In the order of `measures`. */
  readonly sums: Float64Array
}

/** Sums of calls by time and dimensions. */
export interface Rollups {
  /** The sums of the span that contains `at`, in the order of `measures`, to be added to. */
  sumsFor(names: readonly string[], at: number): Float64Array
  rows(): readonly RollupRow[]
}

export function createRollups(spanMs: number): Rollups {
  const rows = new Map<string, RollupRow>()
  return {
    sumsFor(names, at) {
      const start = at - (at % spanMs)
      const key = `${start}\n${names.join('\n')}`
      const known = rows.get(key)
      if (known !== undefined) return known.sums
      const sums = new Float64Array(measures.length)
      rows.set(key, { at: start, names, sums })
      return sums
    },
    // Always in one order: writers that lock the same rows in different orders would deadlock.
    rows: () => [...rows.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row),
  }
}

/** The same sums by day. */
export function daysOf(hours: readonly RollupRow[]): readonly RollupRow[] {
  const days = createRollups(dayMs)
  for (const { at, names, sums } of hours) {
    const day = days.sumsFor(names, at)
    for (let index = 0; index < day.length; index++) day[index] = (day[index] ?? 0) + (sums[index] ?? 0)
  }
  return days.rows()
}

/** Adds one call to sums. */
export function addCall(sums: Float64Array, call: CallLine): void {
  const add = (index: number, value: number | null | undefined) => {
    if (value) sums[index] = (sums[index] ?? 0) + value
  }
  add(at.requests, 1)
  add(at.errors, call.status >= 400 && call.outcome !== 'left' ? 1 : 0)
  add(at.prompt_tokens, call.promptTokens)
  add(at.cached_tokens, call.cachedTokens)
  add(at.completion_tokens, call.completionTokens)
  add(at.reasoning_tokens, call.reasoningTokens)
  add(at.cost, call.costNanoUsd)
  add(at.uncertain, uncertainOf(call))
  add(at.baseline, call.baselineNanoUsd)
  add(at.saved, call.savedNanoUsd)
  add(counts.length + bucketOf(call.totalMs), 1)
  if (call.firstTokenMs !== undefined) add(counts.length + buckets.length + bucketOf(call.firstTokenMs), 1)
}

/** Corrects sums for a call whose cost is certain now. */
export function correctCall(sums: Float64Array, call: CallLine, costNanoUsd: number): void {
  const add = (index: number, value: number) => {
    sums[index] = (sums[index] ?? 0) + value
  }
  const more = costNanoUsd - (call.costNanoUsd ?? 0)
  add(at.cost, more)
  add(at.uncertain, -uncertainOf(call))
  if (typeof call.savedNanoUsd === 'number') add(at.saved, -more)
}

/** The index of each count among the measures. */
const at = Object.fromEntries(counts.map((name, index) => [name, index])) as Readonly<Record<Count, number>>

/**
 * What upstreams may have charged in addition to the cost, at most, where money was held for the call. Otherwise the
 * most is not known: then it is the part of the cost that no upstream reported.
 */
export function uncertainOf({ uncertainNanoUsd, attempts }: CallLine): number {
  return (
    uncertainNanoUsd ?? attempts.reduce((sum, one) => sum + (one.uncertain ? (one.costNanoUsd ?? 0) : 0), 0)
  )
}

function bucketOf(ms: number): number {
  const bucket = bucketBoundsMs.findIndex((bound) => ms <= bound)
  return bucket === -1 ? bucketBoundsMs.length : bucket
}
