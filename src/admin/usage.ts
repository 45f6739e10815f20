import type Router from '@koa/router'
import { sendJson, sendText } from '../http/call/send.ts'
import { type Dimension, dayMs, dimensions } from '../ledger/store/rollup.ts'
import { type UsageGroup, usageGroups } from '../ledger/store/usage.ts'
import { csvOf } from './csv.ts'
import { answered, idHeaders, type LedgerRouteParts, openReader } from './ledger-access.ts'
import { type Query, readQuery } from './query.ts'
import { usageBody } from './usage-body.ts'

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
    const data = rows.map((row) => usageBody(row, by))
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

function columnsOf(by: readonly UsageGroup[]): readonly string[] {
  return Object.keys(usageBody({ names: by.map(() => '0'), sums: [] }, by))
}
