import type { CallLine } from '../../core/model/record/call-line.ts'

/** A call as it is stored. */
export type StoredCall = {
  readonly call: CallLine
  readonly startedEpochMs: number
  /** What it came to cost, where that was settled later on. */
  readonly settled: SettledCost | undefined
}

export type SettledCost = {
  readonly nanoUsd: number
  readonly at: number
  readonly actor: string
  readonly reason: string
}

/** A page of calls: the latest ones before a place. */
export type CallsQuestion = {
  readonly limit: number
  /** The place of the last call of the page before. */
  readonly before?: CallPlace | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly filters: CallFilters
}

export type CallPlace = { readonly at: number; readonly id: string }

export type CallFilters = Readonly<Partial<Record<CallFilter, string>>> & {
  /** Those with a status of 400 or more. */
  readonly failed?: boolean | undefined
}

export type CallFilter = (typeof callFilters)[number]

/** Columns of calls that pages can be filtered by: each has an index. */
export const callFilters = ['key', 'team', 'model'] as const

export type Statement = { readonly text: string; readonly values: readonly (string | number)[] }

/** `place` gives the placeholder of the nth value, from 1. */
export function callsStatement(question: CallsQuestion, place: (nth: number) => string): Statement {
  const values: (string | number)[] = []
  const add = (value: string | number) => place(values.push(value))
  const { before, from, to, filters, limit } = question
  const conditions = callFilters.flatMap((name) => {
    const value = filters[name]
    return value === undefined ? [] : [`"${name}" = ${add(value)}`]
  })
  if (filters.failed) conditions.push('status >= 400')
  if (from !== undefined) conditions.push(`at >= ${add(from)}`)
  if (to !== undefined) conditions.push(`at < ${add(to)}`)
  if (before !== undefined) {
    // The first alone finds the place in an index by time.
    conditions.push(`at <= ${add(before.at)}`, `(at, id) < (${add(before.at)}, ${add(before.id)})`)
  }
  const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`
  const text = `select id, at, line from calls ${where} order by at desc, id desc limit ${add(limit)}`
  return { text, values }
}
