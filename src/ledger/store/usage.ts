import type { Statement } from './calls.ts'
import { counts, type Dimension, dayMs, dimensions, hourMs, measures } from './rollup.ts'

/** Sums of the calls of a span, widened to whole hours. */
export type UsageQuestion = {
  /** In epoch milliseconds; `to` is exclusive. */
  readonly from: number
  readonly to: number
  /** The dimensions to sum by; empty: everything in one row. */
  readonly by: readonly UsageGroup[]
  readonly filters: Readonly<Partial<Record<Dimension, string>>>
  /** With the duration histograms: several times as much to read. */
  readonly withHistograms: boolean
  /** How many rows at most: the most expensive, and among equals the earlier ones. */
  readonly limit: number
}

export type UsageGroup = Dimension | 'hour' | 'day'

export const usageGroups: readonly UsageGroup[] = [...dimensions, 'hour', 'day']

export type UsageRow = {
  /** In the order of `by`; hours and days as the epoch milliseconds of their start, as text. */
  readonly names: readonly string[]
  /** In the order of `measures`; without histograms, of `counts`. */
  readonly sums: readonly number[]
}

/** What a query sums. */
export function measuresOf({ withHistograms }: UsageQuestion): readonly string[] {
  return withHistograms ? measures : counts
}

/** `place` gives the placeholder of the nth value, from 1. */
export function usageStatement(question: UsageQuestion, place: (nth: number) => string): Statement {
  const values: (string | number)[] = []
  const add = (value: string | number) => place(values.push(value))
  // In the order of the text: placeholders without numbers are matched by order.
  const conditions = () =>
    dimensions.flatMap((name) => {
      const value = question.filters[name]
      return value === undefined ? [] : [`"${name}" = ${add(value)}`]
    })
  const names = question.by.map(columnOf)
  const summed = measuresOf(question)
  const groups = names.map((_, index) => `name_${index}`)
  const sums = summed.map((name) => `sum(${name}) as ${name}`)
  const picked = [...names.map((column, index) => `${column} as name_${index}`), ...sums].join(', ')
  const grouped = names.length === 0 ? '' : ` group by ${names.join(', ')}`
  // Each part is summed on its own: a database would copy every row of a union before it sums them.
  const parts = spansOf(question).map(({ table, from, to }) => {
    const where = [`at >= ${add(from)}`, `at < ${add(to)}`, ...conditions()].join(' and ')
    return `select ${picked} from ${table} where ${where}${grouped}`
  })
  const text =
    `select ${[...groups, ...sums].join(', ')} from (${parts.join(' union all ')}) as spans` +
    `${groups.length === 0 ? '' : ` group by ${groups.join(', ')}`}` +
    ` order by ${orderOf(question)} limit ${add(question.limit)}`
  return { text, values }
}

type Span = { readonly table: 'rollups_hour' | 'rollups_day'; readonly from: number; readonly to: number }

/** Whole days are read from daily rows unless hours are requested: there are 24 times fewer. */
function spansOf({ from, to, by }: UsageQuestion): readonly Span[] {
  const first = from - (from % hourMs)
  const last = Math.ceil(to / hourMs) * hourMs
  const firstDay = Math.ceil(first / dayMs) * dayMs
  const lastDay = last - (last % dayMs)
  if (by.includes('hour') || firstDay >= lastDay) return [{ table: 'rollups_hour', from: first, to: last }]
  const spans: Span[] = [
    { table: 'rollups_hour', from: first, to: firstDay },
    { table: 'rollups_day', from: firstDay, to: lastDay },
    { table: 'rollups_hour', from: lastDay, to: last },
  ]
  return spans.filter((span) => span.from < span.to)
}

function columnOf(group: UsageGroup): string {
  if (group === 'hour') return 'at'
  return group === 'day' ? `at - at % ${dayMs}` : `"${group}"`
}

/** By time if there is one, else by cost. */
function orderOf({ by }: UsageQuestion): string {
  const times = by.flatMap((group, index) => (group === 'hour' || group === 'day' ? [`name_${index}`] : []))
  return [...times, 'sum(cost) desc', 'sum(requests) desc'].join(', ')
}
