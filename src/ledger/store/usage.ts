import type { Statement } from './calls.ts'
import { counts, type Dimension, dayMs, dimensions, hourMs, measures } from './rollup.ts'
import { storedName } from './stored-text.ts'
import { type SummaryEnds, summaries } from './summaries.ts'

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
  readonly sums: readonly number[] | Float64Array
}

/** The columns that a query sums. */
export function measuresOf({ withHistograms }: UsageQuestion): readonly string[] {
  return withHistograms ? measures : counts
}

/** The SQL that differs between the databases. */
export type UsageWriting = {
  /** The placeholder of the nth value, from 1. */
  readonly place: (nth: number) => string
  readonly sum: (measure: string) => string
  /**
   * Whether the rows of all parts of a span are summed together. Otherwise each part is summed separately, then the sums.
   */
  readonly isSummedAtOnce: boolean
}

/** `ends` is how far the summaries go. */
export function usageStatement(
  question: UsageQuestion,
  ends: SummaryEnds,
  { place, sum, isSummedAtOnce }: UsageWriting,
): Statement {
  const values: (string | number)[] = []
  const add = (value: string | number) => place(values.push(value))
  const summed = measuresOf(question)
  const groups = question.by.map((_, index) => `name_${index}`)
  const sums = summed.map((name) => `${sum(name)} as ${name}`)
  const grouped = (names: readonly string[]) => (names.length === 0 ? '' : ` group by ${names.join(', ')}`)
  const parts = spansOf(question, ends).map((span) => {
    const names = question.by.map((group) => columnOf(group, span))
    const columns = isSummedAtOnce ? summed : sums
    const picked = [...names.map((column, index) => `${column} as name_${index}`), ...columns].join(', ')
    const rows = `select ${picked} from ${span.table} where ${conditionsOf(question, span, add)}`
    return isSummedAtOnce ? rows : `${rows}${grouped(names)}`
  })
  const text =
    `select ${[...groups, ...sums].join(', ')} from (${parts.join(' union all ')}) as spans` +
    `${grouped(groups)} order by ${orderOf(question)} limit ${add(question.limit)}`
  return { text, values }
}

type Span = Level & { readonly from: number; readonly to: number }

/** A table that a part of the span can be read from. */
type Level = {
  readonly table: string
  readonly spanMs: number
  readonly until: number
  /** The dimension of a summary by one dimension; '' for none. */
  readonly dimension: string | undefined
}

/** Reads each part from the table with the fewest rows that covers it. */
function spansOf(question: UsageQuestion, ends: SummaryEnds): readonly Span[] {
  const { from, to } = question
  return covered(from - (from % hourMs), Math.ceil(to / hourMs) * hourMs, levelsOf(question, ends))
}

function covered(from: number, to: number, levels: readonly Level[]): readonly Span[] {
  const [level, ...finer] = levels
  if (level === undefined || from >= to) return []
  const { spanMs, until } = level
  const first = Math.ceil(from / spanMs) * spanMs
  const end = Math.min(to, until)
  const last = end - (end % spanMs)
  if (first >= last) return covered(from, to, finer)
  return [...covered(from, first, finer), { ...level, from: first, to: last }, ...covered(last, to, finer)]
}

/** From the fewest rows to the most. */
function levelsOf({ by, filters }: UsageQuestion, ends: SummaryEnds): readonly Level[] {
  const [one = '', ...others] = new Set([
    ...by.filter((group) => group !== 'hour' && group !== 'day'),
    ...dimensions.filter((name) => filters[name] !== undefined),
  ])
  const made = summaries.map(({ table, spanMs, isByOne }) => {
    const until = ends.get(table) ?? 0
    return { table, spanMs, until, dimension: isByOne ? one : undefined }
  })
  const byOne = others.length === 0 ? made.filter(({ dimension }) => dimension !== undefined) : []
  const whole = made.filter(({ dimension }) => dimension === undefined)
  const kept = { until: Number.MAX_SAFE_INTEGER, dimension: undefined }
  const all = [
    ...byOne.toReversed(),
    ...whole.toReversed(),
    { ...kept, table: 'rollups_day', spanMs: dayMs },
    { ...kept, table: 'rollups_hour', spanMs: hourMs },
  ]
  const longest = by.includes('hour') ? hourMs : by.includes('day') ? dayMs : Number.POSITIVE_INFINITY
  return all.filter(({ spanMs }) => spanMs <= longest)
}

/** In the order of the text: placeholders without numbers are matched by order. */
function conditionsOf(
  { filters }: UsageQuestion,
  { dimension, from, to }: Span,
  add: (value: string | number) => string,
): string {
  const named = dimensions.flatMap((name) => {
    const value = filters[name]
    return value === undefined ? [] : [{ name, value: storedName(value) }]
  })
  const whole = dimension === undefined ? [] : [`dimension = ${add(dimension)}`]
  const times = [`at >= ${add(from)}`, `at < ${add(to)}`]
  const filtered = named.map(
    ({ name, value }) => `${dimension === undefined ? `"${name}"` : 'name'} = ${add(value)}`,
  )
  return [...whole, ...times, ...filtered].join(' and ')
}

function columnOf(group: UsageGroup, { dimension }: Span): string {
  if (group === 'hour') return 'at'
  if (group === 'day') return `at - at % ${dayMs}`
  return dimension === undefined ? `"${group}"` : 'name'
}

/** By time if grouped by time, else by cost. */
function orderOf({ by }: UsageQuestion): string {
  const times = by.flatMap((group, index) => (group === 'hour' || group === 'day' ? [`name_${index}`] : []))
  return [...times, 'sum(cost) desc', 'sum(requests) desc'].join(', ')
}
