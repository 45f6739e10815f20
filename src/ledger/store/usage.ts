import type { Statement } from './calls.ts'
import { counts, type Dimension, dayMs, dimensions, hourMs, measures } from './rollup.ts'

/** Sums of the calls of a span. It is widened to whole hours. */
export type UsageQuestion = {
  /** In epoch milliseconds; `to` is not in it any more. */
  readonly from: number
  readonly to: number
  /** What to sum by; nothing: all in one row. */
  readonly by: readonly UsageGroup[]
  readonly filters: Readonly<Partial<Record<Dimension, string>>>
  /** With the histograms of durations: several times as much to read. */
  readonly withHistograms: boolean
  /** How many rows at most: those that cost the most, and of them the earlier ones first. */
  readonly limit: number
}

export type UsageGroup = Dimension | 'hour' | 'day'

export const usageGroups: readonly UsageGroup[] = [...dimensions, 'hour', 'day']

export type UsageRow = {
  /** In the order of `by`; hours and days by their beginning in epoch milliseconds, as text. */
  readonly names: readonly string[]
  /** In the order of `measures`; without histograms, of `counts`. */
  readonly sums: readonly number[]
}

/** What a question sums. */
export function measuresOf({ withHistograms }: UsageQuestion): readonly string[] {
  return withHistograms ? measures : counts
}

/** `place` gives the placeholder of the nth value, from 1. */
export function usageStatement(question: UsageQuestion, place: (nth: number) => string): Statement {
  const values: (string | number)[] = []
  const add = (value: string | number) => place(values.push(value))
  // In the order of the text: where placeholders have no numbers, that is what tells them apart.
  const conditions = () =>
    dimensions.flatMap((name) => {
      const value = question.filters[name]
      return value === undefined ? [] : [`"${name}" = ${add(value)}`]
    })
  const names = question.by.map(columnOf)
  const summed = measuresOf(question)
  const picked = [...names.map((column, index) => `${column} as name_${index}`), ...summed].join(', ')
  const parts = spansOf(question).map(({ table, from, to }) => {
    const where = [`at >= ${add(from)}`, `at < ${add(to)}`, ...conditions()].join(' and ')
    return `select ${picked} from ${table} where ${where}`
  })
  const groups = names.map((_, index) => `name_${index}`)
  const sums = summed.map((name) => `sum(${name}) as ${name}`)
  const text =
    `select ${[...groups, ...sums].join(', ')} from (${parts.join(' union all ')}) as spans` +
    `${groups.length === 0 ? '' : ` group by ${groups.join(', ')}`}` +
    ` order by ${orderOf(question)} limit ${add(question.limit)}`
  return { text, values }
}

type Span = { readonly table: 'rollups_hour' | 'rollups_day'; readonly from: number; readonly to: number }

/** Whole days are read as such, unless hours are asked for: there are 24 times fewer rows. */
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

/** By time where there is time, and else by cost. */
function orderOf({ by }: UsageQuestion): string {
  const times = by.flatMap((group, index) => (group === 'hour' || group === 'day' ? [`name_${index}`] : []))
  return [...times, 'sum(cost) desc', 'sum(requests) desc'].join(', ')
}
