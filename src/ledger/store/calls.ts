import type { CallLine } from '../../core/model/record/call-line.ts'
import { type Condition, conditionsOf, isLineRead, plain, type Writing, written } from './call-conditions.ts'
import type { CallFilters } from './call-filters.ts'

/** A call as it is stored. */
export type StoredCall = {
  readonly call: CallLine
  readonly startedEpochMs: number
  /** Its cost, if it was settled later. */
  readonly settled: SettledCost | undefined
}

export type SettledCost = {
  readonly nanoUsd: number
  readonly at: number
  readonly actor: string
  readonly reason: string
}

/** A page of calls: the latest ones before a position. */
export type CallsQuestion = {
  readonly limit: number
  /** The position of the last call of the previous page. */
  readonly before?: CallPlace | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly filters: CallFilters
}

export type CallPlace = { readonly at: number; readonly id: string }

export type CallsPage = {
  readonly calls: readonly StoredCall[]
  /**
   * Where the search ended, if it has to continue from there: the page is not full, and one index is not enough for its
   * filters.
   */
  readonly searchedTo: CallPlace | undefined
}

/** How many calls one query examines, if one index is not enough for its filters. */
export const soughtAtOnce = 4000

/** Whether calls are examined one by one: at most one filter can use an index. */
export function isSought(filters: CallFilters): boolean {
  return conditionsOf(filters, plain).others.length > 0
}

/** A query for the number of calls in each part of a span. */
export type CountsQuestion = {
  readonly from: number
  readonly to: number
  readonly stepMs: number
  readonly filters: CallFilters
}

/** Incomplete: only the latest calls are counted. */
export type CallCounts = { readonly rows: readonly CallCount[]; readonly isComplete: boolean }

export type CallCount = {
  /** The start of its part of the span. */
  readonly at: number
  readonly calls: number
  /** Calls whose callers left do not count. */
  readonly failed: number
}

/** How many calls are counted at most, the latest first. */
export const countedAtOnce = 15_000

export type Statement = { readonly text: string; readonly values: readonly (string | number)[] }

/** The calls that a query examines. */
export type CallsSpan = Pick<CallsQuestion, 'before' | 'from' | 'to' | 'filters'> & {
  /** The last of them. */
  readonly downTo?: CallPlace | undefined
}

export function callsStatement(
  question: CallsSpan & Pick<CallsQuestion, 'limit'>,
  writing: Writing,
): Statement {
  const values: (string | number)[] = []
  const add = (value: string | number) => writing.place(values.push(value))
  const { filters, limit } = question
  const { others } = conditionsOf(filters, writing)
  const latest = 'order by at desc, id desc limit'
  const indexed = indexedWhere(question, writing, add)
  if (others.length === 0)
    return { text: `select id, at, line from calls ${indexed} ${latest} ${add(limit)}`, values }
  const isRead = isLineRead(filters)
  const columns = `id, at, "key", team, model, status${isRead ? `, ${writing.lineColumns}` : ''}`
  const looked = `select ${columns} from calls ${indexed} ${latest} ${add(soughtAtOnce)}`
  const of = `from (${looked}) as looked where ${written(others, add)} ${latest} ${add(limit)}`
  if (isRead) return { text: `select id, at, line ${of}`, values }
  // Lines are long: only those of the page are read. Postgres finds their partitions by the bounds.
  const bounds = [`calls.at >= ${add(question.from ?? 0)}`]
  if (question.to !== undefined) bounds.push(`calls.at < ${add(question.to)}`)
  const text =
    `select calls.id, calls.at, calls.line from (select id, at ${of}) as found ` +
    `join calls on calls.id = found.id and calls.at = found.at and ${bounds.join(' and ')} ` +
    'order by calls.at desc, calls.id desc'
  return { text, values }
}

/** The last of the first `most` calls that a query examines; `looked` is their number. */
export function lastStatement(span: CallsSpan, most: number, writing: Writing): Statement {
  const values: (string | number)[] = []
  const add = (value: string | number) => writing.place(values.push(value))
  const where = indexedWhere(span, writing, add)
  const looked = `select id, at from calls ${where} order by at desc, id desc limit ${add(most)}`
  const text = `select id, at, count(*) over () as looked from (${looked}) as looked order by at, id limit 1`
  return { text, values }
}

/** Counts the first `most` calls that a query examines, by part of the span and by whether they match. */
export function countsStatement(
  { stepMs, ...question }: CountsQuestion,
  most: number,
  writing: Writing,
): Statement {
  const values: (string | number)[] = []
  const add = (value: string | number) => writing.place(values.push(value))
  const { filters } = question
  const { others } = conditionsOf(filters, writing)
  const isMatch = others.length === 0 ? '1' : `case when ${written(others, add)} then 1 else 0 end`
  const failed = 'sum(case when status >= 400 and status <> 499 then 1 else 0 end)'
  const columns = `at, status, "key", team, model, id${isLineRead(filters) ? `, ${writing.lineColumns}` : ''}`
  const where = indexedWhere(question, writing, add)
  const text =
    `select at - at % ${Math.floor(stepMs)} as part, ${isMatch} as is_match, count(*) as calls, ` +
    `${failed} as failed from (select ${columns} from calls ${where} order by at desc limit ${add(most)}) ` +
    'as looked group by 1, 2'
  return { text, values }
}

/** The sum of the rows of these statements. */
export function countsOf(rows: readonly Readonly<Record<string, unknown>>[]): CallCounts {
  const parts = new Map<number, CallCount>()
  let looked = 0
  for (const row of rows) {
    const [at, calls, failed] = [Number(row['part']), Number(row['calls']), Number(row['failed'])]
    looked += calls
    if (Number(row['is_match']) === 0) continue
    const known = parts.get(at) ?? { at, calls: 0, failed: 0 }
    parts.set(at, { at, calls: known.calls + calls, failed: known.failed + failed })
  }
  const sorted = [...parts.values()].sort((one, other) => one.at - other.at)
  return { rows: sorted, isComplete: looked < countedAtOnce }
}

type Add = (value: string | number) => string

function indexedWhere({ before, downTo, from, to, filters }: CallsSpan, writing: Writing, add: Add): string {
  const conditions: Condition[] = [...conditionsOf(filters, writing).indexed]
  // Without a bound on time, SQLite would sort all calls to find the latest of a subset.
  conditions.push({ text: 'at >=', value: from ?? 0 })
  if (to !== undefined) conditions.push({ text: 'at <', value: to })
  // A condition on time alone can use the index.
  if (before !== undefined) conditions.push({ text: 'at <=', value: before.at })
  const texts = [written(conditions, add)]
  if (before !== undefined) texts.push(`(at, id) < (${add(before.at)}, ${add(before.id)})`)
  if (downTo !== undefined) texts.push(`(at, id) >= (${add(downTo.at)}, ${add(downTo.id)})`)
  return `where ${texts.join(' and ')}`
}
