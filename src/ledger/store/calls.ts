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

export function callsStatement(question: CallsQuestion, writing: Writing): Statement {
  const values: (string | number)[] = []
  const add = (value: string | number) => writing.place(values.push(value))
  const { filters, limit } = question
  const { others } = conditionsOf(filters, writing)
  const latest = 'order by at desc, id desc limit'
  const indexed = indexedWhere(question, writing, add)
  if (others.length === 0)
    return { text: `select id, at, line from calls ${indexed} ${latest} ${add(limit)}`, values }
  const isRead = isLineRead(filters)
  const columns = `id, at, "key", team, model, status${isRead ? ', line' : ''}`
  const looked = `select ${columns} from calls ${indexed} ${latest} ${add(soughtAtOnce)}`
  const of = `from (${looked}) as looked where ${written(others, add)} ${latest} ${add(limit)}`
  if (isRead) return { text: `select id, at, line ${of}`, values }
  // Lines are long: only those of the page are read.
  const text =
    `select calls.id, calls.at, calls.line from (select id, at ${of}) as found ` +
    'join calls on calls.id = found.id and calls.at = found.at order by calls.at desc, calls.id desc'
  return { text, values }
}

/** The position of the last call that a query examines: none if there are fewer. */
export function reachStatement(
  question: Pick<CallsQuestion, 'before' | 'from' | 'to' | 'filters'>,
  looked: number,
  writing: Writing,
): Statement {
  const values: (string | number)[] = []
  const add = (value: string | number) => writing.place(values.push(value))
  const where = indexedWhere(question, writing, add)
  const text = `select id, at from calls ${where} order by at desc, id desc limit 1 offset ${add(looked - 1)}`
  return { text, values }
}

export function countsStatement({ stepMs, ...question }: CountsQuestion, writing: Writing): Statement {
  const values: (string | number)[] = []
  const add = (value: string | number) => writing.place(values.push(value))
  const part = `at - at % ${Math.floor(stepMs)}`
  const { filters } = question
  const indexed = indexedWhere(question, writing, add)
  const columns = `at, status, "key", team, model, id${isLineRead(filters) ? ', line' : ''}`
  const looked = `select ${columns} from calls ${indexed} order by at desc limit ${add(countedAtOnce)}`
  const { others } = conditionsOf(filters, writing)
  const where = others.length === 0 ? '' : `where ${written(others, add)}`
  const failed = 'sum(case when status >= 400 and status <> 499 then 1 else 0 end)'
  const text =
    `select ${part} as part, count(*) as calls, ${failed} as failed ` +
    `from (${looked}) as looked ${where} group by ${part} order by part`
  return { text, values }
}

type Add = (value: string | number) => string

function indexedWhere(
  { before, from, to, filters }: Pick<CallsQuestion, 'before' | 'from' | 'to' | 'filters'>,
  writing: Writing,
  add: Add,
): string {
  const conditions: Condition[] = [...conditionsOf(filters, writing).indexed]
  // Without a bound on time, SQLite would sort all calls to find the latest of a subset.
  conditions.push({ text: 'at >=', value: from ?? 0 })
  if (to !== undefined) conditions.push({ text: 'at <', value: to })
  // A condition on time alone can use the index.
  if (before !== undefined) conditions.push({ text: 'at <=', value: before.at })
  const texts = [written(conditions, add)]
  if (before !== undefined) texts.push(`(at, id) < (${add(before.at)}, ${add(before.id)})`)
  return `where ${texts.join(' and ')}`
}
