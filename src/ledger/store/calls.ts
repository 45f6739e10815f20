import type { CallLine } from '../../core/model/record/call-line.ts'

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

export type CallFilters = Readonly<Partial<Record<CallFilter, string>>> & {
  /** Those with a status of 400 or more. */
  readonly failed?: boolean | undefined
  readonly status?: number | undefined
  readonly id?: string | undefined
} & SoughtFilters

export type CallFilter = (typeof callFilters)[number]

/** Columns of calls with an index, for filters. */
export const callFilters = ['key', 'team', 'model'] as const

/** Filters without an index: a bounded number of calls is examined. */
export type SoughtFilters = {
  readonly provider?: string | undefined
  readonly deployment?: string | undefined
  /** The kind of a failure; `left`: its caller left. */
  readonly failure?: string | undefined
  readonly leastNanoUsd?: number | undefined
  readonly mostNanoUsd?: number | undefined
  readonly leastMs?: number | undefined
  readonly mostMs?: number | undefined
}

/** How many calls one query examines, if its filters are not all indexed. */
export const soughtAtOnce = 20_000

export function isSought(filters: CallFilters): boolean {
  return soughtConditions(filters, plain, () => '').length > 0
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
export const countedAtOnce = 50_000

export type Statement = { readonly text: string; readonly values: readonly (string | number)[] }

/** The differences between the databases in the statements. */
export type Writing = {
  /** The placeholder of the nth value, from 1. */
  readonly place: (nth: number) => string
  /** A member of a call's line by its path, as text or as a number. */
  readonly text: (path: readonly string[]) => string
  readonly number: (path: readonly string[]) => string
}

export function callsStatement(question: CallsQuestion, writing: Writing): Statement {
  const values: (string | number)[] = []
  const add = (value: string | number) => writing.place(values.push(value))
  const { filters, limit } = question
  const indexed = `select id, at, line from calls ${indexedWhere(question, add)} order by at desc, id desc`
  if (!isSought(filters)) return { text: `${indexed} limit ${add(limit)}`, values }
  const looked = `${indexed} limit ${add(soughtAtOnce)}`
  const where = soughtConditions(filters, writing, add).join(' and ')
  const text = `select id, at, line from (${looked}) as looked where ${where} order by at desc, id desc limit ${add(limit)}`
  return { text, values }
}

/** The position of the last call that a query examines: none if there are fewer. */
export function reachStatement(
  question: Pick<CallsQuestion, 'before' | 'from' | 'to' | 'filters'>,
  looked: number,
  { place }: Pick<Writing, 'place'>,
): Statement {
  const values: (string | number)[] = []
  const add = (value: string | number) => place(values.push(value))
  const where = indexedWhere(question, add)
  const text = `select id, at from calls ${where} order by at desc, id desc limit 1 offset ${add(looked - 1)}`
  return { text, values }
}

export function countsStatement({ stepMs, ...question }: CountsQuestion, writing: Writing): Statement {
  const values: (string | number)[] = []
  const add = (value: string | number) => writing.place(values.push(value))
  const part = `at - at % ${Math.floor(stepMs)}`
  const indexed = indexedWhere(question, add)
  const columns = isSought(question.filters) ? 'at, status, line' : 'at, status'
  const looked = `select ${columns} from calls ${indexed} order by at desc limit ${add(countedAtOnce)}`
  const sought = soughtConditions(question.filters, writing, add)
  const where = sought.length === 0 ? '' : `where ${sought.join(' and ')}`
  const failed = 'sum(case when status >= 400 and status <> 499 then 1 else 0 end)'
  const text =
    `select ${part} as part, count(*) as calls, ${failed} as failed ` +
    `from (${looked}) as looked ${where} group by ${part} order by part`
  return { text, values }
}

type Add = (value: string | number) => string

/** In the order of the text: placeholders without numbers are matched by order. */
function indexedWhere(
  { before, from, to, filters }: Pick<CallsQuestion, 'before' | 'from' | 'to' | 'filters'>,
  add: Add,
): string {
  const conditions = callFilters.flatMap((name) => {
    const value = filters[name]
    return value === undefined ? [] : [`"${name}" = ${add(value)}`]
  })
  if (filters.id !== undefined) conditions.push(`id = ${add(filters.id)}`)
  // So that its index is used: failed calls are few.
  if (filters.failed || filters.failure !== undefined) conditions.push('status >= 400')
  if (filters.status !== undefined) {
    if (filters.status >= 400) conditions.push('status >= 400')
    conditions.push(`status = ${add(filters.status)}`)
  }
  if (from !== undefined) conditions.push(`at >= ${add(from)}`)
  if (to !== undefined) conditions.push(`at < ${add(to)}`)
  if (before !== undefined) {
    // The first alone can use an index by time.
    conditions.push(`at <= ${add(before.at)}`, `(at, id) < (${add(before.at)}, ${add(before.id)})`)
  }
  return conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`
}

const plain: Pick<Writing, 'text' | 'number'> = { text: () => '', number: () => '' }

function soughtConditions(
  filters: SoughtFilters,
  { text, number }: Pick<Writing, 'text' | 'number'>,
  add: Add,
): readonly string[] {
  const conditions: string[] = []
  const compare = (member: string, operator: string, value: string | number | undefined) => {
    if (value !== undefined) conditions.push(`${member} ${operator} ${add(value)}`)
  }
  compare(text(['provider']), '=', filters.provider)
  compare(text(['deployment']), '=', filters.deployment)
  const { failure } = filters
  if (failure === 'left') compare(text(['outcome']), '=', failure)
  else compare(text(['failure', 'kind']), '=', failure)
  compare(number(['costNanoUsd']), '>=', filters.leastNanoUsd)
  compare(number(['costNanoUsd']), '<=', filters.mostNanoUsd)
  compare(number(['totalMs']), '>=', filters.leastMs)
  compare(number(['totalMs']), '<=', filters.mostMs)
  return conditions
}
