import * as z from 'zod'
import { type Dimension, dayMs, dimensions, hourMs, measures } from '../ledger/store/rollup.ts'
import { type UsageGroup, type UsageQuestion, usageGroups } from '../ledger/store/usage.ts'
import { csvOf } from './csv.ts'
import { answered, type LedgerParts, readerOf } from './ledger-access.ts'
import { type Query, readQuery, requireSpan } from './query.ts'
import { type AdminRoute, route } from './route.ts'
import { usageBody, usageRow } from './usage-body.ts'

/**
 * Usage and cost, grouped by any columns of the rollups, as JSON, or with `format=csv` as CSV. Spans are widened to
 * whole hours; without `from` the span is the last seven days. `compare=true` adds the span before, of the same length.
 */
export function usageRoute(parts: LedgerParts): AdminRoute {
  return route({
    ...{ method: 'get', path: '/admin/api/usage', role: 'read', tag: 'usage', status: 200 },
    summary: 'Sums requests, tokens and money by any of a call’s names, its failure, the hour or the day',
    query: z.looseObject(Object.fromEntries(parameters.map((name) => [name, z.string().optional()]))),
    answer: z.object({
      data: z.array(usageRow),
      by: z.array(z.enum(usageGroups)),
      from: z.iso.datetime(),
      to: z.iso.datetime(),
      before: z
        .object({ data: z.array(usageRow), from: z.iso.datetime(), to: z.iso.datetime() })
        .optional()
        .meta({ description: 'If requested: the previous span, in whole hours' }),
    }),
    async handle({ query: given }) {
      const query = readQuery(given, parameters)
      const now = parts.now()
      const { from, to } = spanIn(query, now)
      const by = query.words('by', usageGroups)
      const format = query.oneOf('format', ['json', 'csv']) ?? 'json'
      const limit = query.count('limit', 1000, 100_000)
      const withHistograms = query.oneOf('percentiles', ['true', 'false']) === 'true'
      const question = { from, to, by, filters: filtersOf(query), withHistograms, limit }
      const rows = await answered(readerOf(parts).usage(question))
      const data = rows.map((row) => usageBody(row, by))
      if (format === 'csv')
        return { contentType: 'text/csv; charset=utf-8', text: csvOf(columnsOf(by, withHistograms), data) }
      const isCompared = query.oneOf('compare', ['true', 'false']) === 'true'
      const before = isCompared ? { before: await spanBefore(question, parts) } : {}
      return { data, by, ...spanOf(question), ...before }
    },
  })
}

/** A moment is the hour that it is in. */
function spanIn(query: Query, now: number): Pick<UsageQuestion, 'from' | 'to'> {
  const to = query.moment('to', now) ?? now + 1
  const from = query.moment('from', now) ?? Math.max(0, to - 7 * dayMs)
  requireSpan(from, to)
  return { from, to: Math.max(to, from + 1) }
}

const parameters = ['by', 'from', 'to', 'limit', 'format', 'percentiles', 'compare', ...dimensions]

/** In whole hours, as the span itself: no hour counts in both. */
async function spanBefore(question: UsageQuestion, parts: LedgerParts) {
  const to = question.from - (question.from % hourMs)
  const from = Math.max(0, to - (Math.ceil(question.to / hourMs) * hourMs - to))
  const before = { ...question, from, to }
  const rows = await answered(readerOf(parts).usage(before))
  return { data: rows.map((row) => usageBody(row, question.by)), ...spanOf(before) }
}

function spanOf({ from, to }: Pick<UsageQuestion, 'from' | 'to'>) {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() }
}

function filtersOf(query: Query): Partial<Record<Dimension, string>> {
  return Object.fromEntries(
    dimensions.flatMap((name) => {
      const value = query.text(name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function columnsOf(by: readonly UsageGroup[], withHistograms: boolean): readonly string[] {
  const sums = withHistograms ? measures.map(() => 0) : []
  return Object.keys(usageBody({ names: by.map(() => '0'), sums }, by))
}
