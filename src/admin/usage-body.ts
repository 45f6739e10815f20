import * as z from 'zod'
import type { JsonObject } from '../core/model/json/json.ts'
import { bucketBoundsMs, counts } from '../ledger/store/rollup.ts'
import type { UsageGroup, UsageRow } from '../ledger/store/usage.ts'
import { amounts } from './amounts.ts'
import { percentileOf } from './percentile.ts'

/** One row of usage, for the API and the command line. `usage` is OpenRouter's name for the cost. */
export function usageBody({ names, sums }: UsageRow, by: readonly UsageGroup[]): JsonObject {
  const sumOf = (name: (typeof counts)[number]) => sums[counts.indexOf(name)] ?? 0
  return {
    ...Object.fromEntries(by.map((group, index) => [group, nameOf(group, names[index] ?? '')])),
    requests: sumOf('requests'),
    errors: sumOf('errors'),
    tokens_prompt: sumOf('prompt_tokens'),
    tokens_cached: sumOf('cached_tokens'),
    tokens_completion: sumOf('completion_tokens'),
    tokens_reasoning: sumOf('reasoning_tokens'),
    ...amounts('usage', sumOf('cost')),
    ...amounts('cost', sumOf('cost')),
    ...amounts('uncertain', sumOf('uncertain')),
    ...amounts('baseline', sumOf('baseline')),
    ...amounts('saved', sumOf('saved')),
    ...percentilesOf(sums.slice(counts.length)),
  }
}

/** If the histograms were read. */
function percentilesOf(histograms: readonly number[]): JsonObject {
  if (histograms.length === 0) return {}
  const latencies = histograms.slice(0, bucketBoundsMs.length + 1)
  const firstTokens = histograms.slice(bucketBoundsMs.length + 1)
  return {
    latency_p50_ms: percentileOf(latencies, 0.5),
    latency_p95_ms: percentileOf(latencies, 0.95),
    latency_p99_ms: percentileOf(latencies, 0.99),
    first_token_p50_ms: percentileOf(firstTokens, 0.5),
    first_token_p95_ms: percentileOf(firstTokens, 0.95),
    first_token_p99_ms: percentileOf(firstTokens, 0.99),
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
