import * as z from 'zod'
import type { CallFilters } from '../../ledger/store/call-filters.ts'
import type { StoredCall } from '../../ledger/store/calls.ts'
import { readQuery } from '../query.ts'
import { type AdminRoute, type Events, route } from '../route.ts'
import { rowOf } from './call-body.ts'
import { filterParameters, filtersOf } from './call-filters.ts'

/** Calls as they end, for people who watch. */
export interface LiveCalls {
  watch(filters: CallFilters, hear: (news: LiveNews) => void, signal: AbortSignal): void
}

export type LiveNews = {
  readonly calls: readonly Pick<StoredCall, 'call' | 'startedEpochMs'>[]
  readonly more: number
}

/**
 * Calls as they end, as server-sent events: at most twenty a second from each process, and the number of those left
 * out.
 */
export function liveCallsRoute(live: LiveCalls): AdminRoute {
  return route({
    ...{ method: 'get', path: '/admin/api/calls/live', role: 'read', tag: 'calls', status: 200 },
    summary: 'Streams calls as they end, as server-sent events, with the filters of the list',
    query: z.looseObject(Object.fromEntries(filterParameters.map((name) => [name, z.string().optional()]))),
    answer: z
      .string()
      .meta({ description: 'Each event is a JSON object with `calls`, as in a list, and `more`' }),
    handle({ query }): Events {
      const filters = filtersOf(readQuery(query, filterParameters))
      return {
        listen(tell, signal) {
          const hear = ({ calls, more }: LiveNews) =>
            tell(JSON.stringify({ calls: calls.map((one) => rowOf({ ...one, settled: undefined })), more }))
          live.watch(filters, hear, signal)
        },
      }
    },
  })
}
