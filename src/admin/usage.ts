import type Router from '@koa/router'
import type { JsonObject } from '../core/model/json.ts'
import { sendJson, sendText } from '../http/call/send.ts'
import { bucketBoundsMs, counts, type Dimension, dayMs, dimensions } from '../ledger/store/rollup.ts'
import { type UsageGroup, type UsageRow, usageGroups } from '../ledger/store/usage.ts'
import { csvOf } from './csv.ts'
import { amounts, answered, idHeaders, type LedgerRouteParts, openReader } from './ledger-access.ts'
import { percentileOf } from './percentile.ts'
import { type Query, readQuery } from './query.ts'

/**
 * `GET /admin/api/usage?by=model,key&from=…&to=…`: what was used and what it cost, by any of the rollups' columns, as
 * JSON, or with `format=csv` as CSV. Spans are widened to whole hours; without `from` it is the last seven days.
 */
export function serveUsage(router: Router, parts: LedgerRouteParts): void {
  router.get('/admin/api/usage', async (ctx) => {
    const reader = openReader(ctx, parts)
    const query = readQuery(ctx.query, ['by', 'from', 'to', 'limit', 'format', ...dimensions])
    const now = parts.now()
    const to = query.moment('to', now) ?? now + 1
    const from = query.moment('from', now) ?? Math.max(0, to - 7 * dayMs)
    const by = query.words('by', usageGroups)
    const format = query.oneOf('format', ['json', 'csv']) ?? 'json'
    const limit = query.count('limit', 1000, 100_000)
    const rows = await answered(reader.usage({ from, to, by, filters: filtersOf(query), limit }))
    const data = rows.map((row) => bodyOf(row, by))
    if (format === 'csv') {
      sendText(ctx.req, ctx.res, 200, csvOf(columnsOf(by), data), idHeaders(ctx), 'text/csv; charset=utf-8')
      return
    }
    const span = { from: new Date(from).toISOString(), to: new Date(to).toISOString() }
    sendJson(ctx.req, ctx.res, 200, { data, by, ...span }, idHeaders(ctx))
  })
}

function filtersOf(query: Query): Partial<Record<Dimension, string>> {
  return Object.fromEntries(
    dimensions.flatMap((name) => {
      const value = query.text(name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function bodyOf({ names, sums }: UsageRow, by: readonly UsageGroup[]): JsonObject {
  const sumOf = (name: (typeof counts)[number]) => sums[counts.indexOf(name)] ?? 0
  const buckets = bucketBoundsMs.length + 1
  const latencies = sums.slice(counts.length, counts.length + buckets)
  const firstTokens = sums.slice(counts.length + buckets)
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
    latency_p50_ms: percentileOf(latencies, 0.5),
    latency_p95_ms: percentileOf(latencies, 0.95),
    first_token_p50_ms: percentileOf(firstTokens, 0.5),
    first_token_p95_ms: percentileOf(firstTokens, 0.95),
  }
}

/** What calls have none of is null. */
function nameOf(group: UsageGroup, name: string): string | null {
  if (group === 'hour' || group === 'day') return new Date(Number(name)).toISOString()
  return name === '' ? null : name
}

function columnsOf(by: readonly UsageGroup[]): readonly string[] {
  return Object.keys(bodyOf({ names: by.map(() => '0'), sums: [] }, by))
}
