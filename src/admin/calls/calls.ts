import * as z from 'zod'
import { Failure } from '../../core/model/failure.ts'
import type { CallPlace, CallsQuestion, StoredCall } from '../../ledger/store/calls.ts'
import { answered, type LedgerParts, readerOf } from '../ledger-access.ts'
import { type Query, readQuery, requireSpan } from '../query.ts'
import { type AdminRoute, route } from '../route.ts'
import { bodyOf, callBody, rowOf } from './call-body.ts'
import { callCountsRoute } from './call-counts.ts'
import { filterParameters, filtersOf } from './call-filters.ts'
import { seekCalls } from './seek-calls.ts'

/** Calls, newest first, in pages; their number; and one call with its attempts. */
export function callRoutes(parts: LedgerParts): readonly AdminRoute[] {
  return [
    route({
      ...{ method: 'get', path: '/admin/api/calls', role: 'read', tag: 'calls', status: 200 },
      summary: 'Lists calls, newest first; `next` is the `before` of the following page',
      query: z.looseObject(Object.fromEntries(parameters.map((name) => [name, z.string().optional()]))),
      answer: z.object({
        data: z.array(callBody.extend({ attempts: z.int() })),
        next: z.string().nullable(),
        searched_to: z.iso.datetime().nullable().meta({
          description: 'How far back the search went, if the page is not full: `next` continues there',
        }),
      }),
      handle: ({ query }) => pageOf(readQuery(query, parameters), parts),
    }),
    callCountsRoute(parts),
    route({
      ...{ method: 'get', path: '/admin/api/calls/{id}', role: 'read', tag: 'calls', status: 200 },
      summary: 'Reads one call with its attempts',
      answer: z.object({ data: callBody.extend({ attempts: z.array(z.looseObject({})) }) }),
      async handle({ path }) {
        const call = await answered(readerOf(parts).call(path['id'] ?? ''))
        if (call !== undefined) return { data: bodyOf(call) }
        throw new Failure('not_found', 'No call has this id, or it is no longer kept.', {
          param: 'id',
          code: 'call_not_found',
        })
      },
    }),
  ]
}

const parameters = ['limit', 'before', 'from', 'to', ...filterParameters]

async function pageOf(query: Query, parts: LedgerParts) {
  const now = parts.now()
  const question: CallsQuestion = {
    limit: query.count('limit', 100, 1000),
    before: placeOf(query.text('before')),
    ...{ from: query.moment('from', now), to: query.moment('to', now) },
    filters: filtersOf(query),
  }
  requireSpan(question.from, question.to)
  const { calls, searchedTo } = await seekCalls(question, parts)
  const next = calls.length === question.limit ? lastOf(calls) : searchedTo
  return {
    data: calls.map(rowOf),
    next: cursorOf(next),
    searched_to: searchedTo === undefined ? null : new Date(searchedTo.at).toISOString(),
  }
}

function lastOf(page: readonly StoredCall[]): CallPlace | undefined {
  const last = page.at(-1)
  return last && { at: last.startedEpochMs, id: last.call.requestId }
}

function cursorOf(place: CallPlace | undefined): string | null {
  return place === undefined ? null : `${place.at}_${place.id}`
}

function placeOf(cursor: string | undefined): CallPlace | undefined {
  if (cursor === undefined) return undefined
  const [, at, id] = /^(\d{1,15})_(.+)$/.exec(cursor) ?? []
  if (at !== undefined && id !== undefined) return { at: Number(at), id }
  throw new Failure('invalid_request', 'Expected the `next` of the previous page.', { param: 'before' })
}
