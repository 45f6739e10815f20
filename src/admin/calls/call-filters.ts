import { Failure } from '../../core/model/failure.ts'
import { type CallFilters, callFilters } from '../../ledger/store/call-filters.ts'
import type { Query } from '../query.ts'

/** The parameters that filter calls. */
export const filterParameters = [
  ...callFilters,
  ...[
    'provider',
    'deployment',
    'failure',
    'tags',
    'status',
    'id',
    'min_cost',
    'max_cost',
    'min_ms',
    'max_ms',
  ],
]

/** Throws a Failure that names the problem. */
export function filtersOf(query: Query): CallFilters {
  const named = [...callFilters, 'provider', 'deployment', 'failure', 'id'].map(
    (name) => [name, query.text(name)] as const,
  )
  const numbers = {
    leastNanoUsd: nanoOf(query, 'min_cost'),
    mostNanoUsd: nanoOf(query, 'max_cost'),
    leastMs: numberOf(query, 'min_ms'),
    mostMs: numberOf(query, 'max_ms'),
  }
  const tags = query
    .text('tags')
    ?.split(',')
    .filter((tag) => tag !== '')
  return {
    ...(tags === undefined ? {} : { tags }),
    ...Object.fromEntries([...named, ...Object.entries(numbers)].filter(([, value]) => value !== undefined)),
    ...statusOf(query),
  }
}

function statusOf(query: Query): Pick<CallFilters, 'failed' | 'status'> {
  const text = query.text('status')
  if (text === undefined) return { failed: false }
  if (/^[1-5]\d\d$/.test(text)) return { status: Number(text) }
  return { failed: query.oneOf('status', ['failed']) === 'failed' }
}

function nanoOf(query: Query, name: string): number | undefined {
  const usd = numberOf(query, name)
  return usd === undefined ? undefined : Math.round(usd * 1e9)
}

function numberOf(query: Query, name: string): number | undefined {
  const text = query.text(name)
  if (text === undefined) return undefined
  if (/^\d{1,9}(\.\d{1,9})?$/.test(text)) return Number(text)
  throw new Failure('invalid_request', 'Expected a number.', { param: name })
}
