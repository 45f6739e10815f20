import * as z from 'zod'
import { Failure } from '../../core/model/failure.ts'
import type { CallFilters } from '../../ledger/store/call-filters.ts'
import type { CallCounts } from '../../ledger/store/calls.ts'
import { counts, dayMs, hourMs, singleDimensions } from '../../ledger/store/rollup.ts'
import { answered, type LedgerParts, readerOf } from '../ledger-access.ts'
import { type Query, readQuery } from '../query.ts'
import { type AdminRoute, route } from '../route.ts'
import { filterParameters, filtersOf } from './call-filters.ts'

/**
 * The number of calls over a span, for a histogram: from rollups if their hours and names suffice, otherwise by
 * counting calls.
 */
export function callCountsRoute(parts: LedgerParts): AdminRoute {
  return route({
    ...{ method: 'get', path: '/admin/api/calls/counts', role: 'read', tag: 'calls', status: 200 },
    summary: 'Counts calls in each part of a span, by the filters of the list',
    query: z.looseObject(Object.fromEntries(parameters.map((name) => [name, z.string().optional()]))),
    answer: z.object({
      data: z.array(z.object({ at: z.iso.datetime(), calls: z.int(), failed: z.int() })),
      step_seconds: z.int(),
      from: z.iso.datetime(),
      to: z.iso.datetime(),
      complete: z.boolean().meta({ description: 'False: only the latest calls of the span were counted' }),
    }),
    handle: ({ query }) => answer(readQuery(query, parameters), parts),
  })
}

const parameters = ['from', 'to', ...filterParameters]

type Span = { readonly from: number; readonly to: number; readonly stepMs: number }

async function answer(query: Query, parts: LedgerParts) {
  const now = parts.now()
  const to = query.moment('to', now) ?? now + 1
  const from = query.moment('from', now) ?? Math.max(0, to - dayMs)
  if (from >= to) throw new Failure('invalid_request', 'Expected a time before `to`.', { param: 'from' })
  const span = { from, to, stepMs: stepOf(to - from) }
  const filters = filtersOf(query)
  const { rows, isComplete } = await (isSummed(filters, span)
    ? summed(span, filters, parts)
    : counted(span, filters, parts))
  return {
    data: rows.map(({ at, calls, failed }) => ({ at: new Date(at).toISOString(), calls, failed })),
    step_seconds: span.stepMs / 1000,
    ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString(), complete: isComplete },
  }
}

/** About fifty to a hundred bars. */
function stepOf(spanMs: number): number {
  return steps.find((step) => spanMs / step <= 100) ?? 7 * dayMs
}

const minuteMs = 60_000
const steps = [
  ...[1000, 5000, 15_000, 30_000, minuteMs, 5 * minuteMs, 15 * minuteMs, 30 * minuteMs],
  ...[hourMs, 6 * hourMs, dayMs],
]

const summedFilters: ReadonlySet<string> = new Set(singleDimensions)

function isSummed(filters: CallFilters, { stepMs }: Span): boolean {
  const named = Object.entries(filters).filter(([, value]) => value !== undefined && value !== false)
  return stepMs >= hourMs && named.every(([name]) => summedFilters.has(name))
}

async function summed(
  { from, to, stepMs }: Span,
  filters: CallFilters,
  parts: LedgerParts,
): Promise<CallCounts> {
  const by = stepMs >= dayMs ? 'day' : 'hour'
  const known = Object.fromEntries(
    singleDimensions.flatMap((name) => {
      const value = filters[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
  const question = { from, to, by: [by], filters: known, withHistograms: false, limit: 10_000 } as const
  const byPart = new Map<number, { at: number; calls: number; failed: number }>()
  for (const { names, sums } of await answered(readerOf(parts).usage(question))) {
    const hour = Number(names[0])
    const at = hour - (hour % stepMs)
    const row = byPart.get(at) ?? { at, calls: 0, failed: 0 }
    row.calls += sums[counts.indexOf('requests')] ?? 0
    row.failed += sums[counts.indexOf('errors')] ?? 0
    byPart.set(at, row)
  }
  return { rows: [...byPart.values()], isComplete: true }
}

async function counted(span: Span, filters: CallFilters, parts: LedgerParts): Promise<CallCounts> {
  return await answered(readerOf(parts).counts({ ...span, filters }))
}
