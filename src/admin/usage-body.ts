import * as z from 'zod'
import type { JsonObject } from '../core/model/json/json.ts'
import { type Count, counts, latencyColumns } from '../ledger/store/rollup.ts'
import type { UsageGroup, UsageRow } from '../ledger/store/usage.ts'
import { percentileOf } from './percentile.ts'

/** One row of usage, for the API and the command line. `usage` is OpenRouter's name for the cost. */
export function usageBody({ names, sums }: UsageRow, by: readonly UsageGroup[]): JsonObject {
  const named: Record<string, string | null> = {}
  for (const [index, group] of by.entries()) named[group] = nameOf(group, names[index] ?? '')
  const [cost, uncertain] = [sums[at.cost] ?? 0, sums[at.uncertain] ?? 0]
  const [baseline, saved] = [sums[at.baseline] ?? 0, sums[at.saved] ?? 0]
  // A literal: a report may have ten thousand of them.
  const body = {
    ...named,
    requests: sums[at.requests] ?? 0,
    errors: sums[at.errors] ?? 0,
    tokens_prompt: sums[at.prompt_tokens] ?? 0,
    tokens_cached: sums[at.cached_tokens] ?? 0,
    tokens_completion: sums[at.completion_tokens] ?? 0,
    tokens_reasoning: sums[at.reasoning_tokens] ?? 0,
    usage: cost / 1e9,
    usage_nano_usd: cost,
    cost: cost / 1e9,
    cost_nano_usd: cost,
    uncertain: uncertain / 1e9,
    uncertain_nano_usd: uncertain,
    baseline: baseline / 1e9,
    baseline_nano_usd: baseline,
    saved: saved / 1e9,
    saved_nano_usd: saved,
  }
  return sums.length > counts.length ? { ...body, ...percentilesOf(sums) } : body
}

/** The index of each count among the sums. */
const at = Object.fromEntries(counts.map((name, index) => [name, index])) as Readonly<Record<Count, number>>

/** Of the histograms behind the counts. */
function percentilesOf(sums: ArrayLike<number>) {
  const [latency, firstToken] = [counts.length, counts.length + latencyColumns.length]
  return {
    latency_p50_ms: percentileOf(sums, latency, 0.5),
    latency_p95_ms: percentileOf(sums, latency, 0.95),
    latency_p99_ms: percentileOf(sums, latency, 0.99),
    first_token_p50_ms: percentileOf(sums, firstToken, 0.5),
    first_token_p95_ms: percentileOf(sums, firstToken, 0.95),
    first_token_p99_ms: percentileOf(sums, firstToken, 0.99),
  }
}

/** Null if there are no such calls. */
function nameOf(group: UsageGroup, name: string): string | null {
  if (group === 'hour' || group === 'day') return new Date(Number(name)).toISOString()
  return name === '' ? null : name
}

const count = z.int().min(0)
/** If they were requested. */
const milliseconds = z.int().nullable().optional()

/** The schema of what `usageBody` returns, without the names that it is grouped by. */
export const usageRow = z.looseObject({
  requests: count,
  errors: count,
  tokens_prompt: count,
  tokens_cached: count,
  tokens_completion: count,
  tokens_reasoning: count,
  usage: z.number(),
  usage_nano_usd: z.int(),
  cost: z.number(),
  cost_nano_usd: z.int(),
  uncertain: z.number(),
  uncertain_nano_usd: z.int(),
  baseline: z.number(),
  baseline_nano_usd: z.int(),
  saved: z.number(),
  saved_nano_usd: z.int(),
  latency_p50_ms: milliseconds,
  latency_p95_ms: milliseconds,
  latency_p99_ms: milliseconds,
  first_token_p50_ms: milliseconds,
  first_token_p95_ms: milliseconds,
  first_token_p99_ms: milliseconds,
})
