import * as z from 'zod'
import { Failure } from '../core/model/failure.ts'
import type { JsonObject } from '../core/model/json/json.ts'
import { rendered } from '../http/routes/generation.ts'
import { type CallPlace, callFilters, type StoredCall } from '../ledger/store/calls.ts'
import { amounts } from './amounts.ts'
import { answered, type LedgerParts, readerOf } from './ledger-access.ts'
import { type Query, readQuery } from './query.ts'
import { type AdminRoute, route } from './route.ts'

/** Calls, the latest first, a page at a time, and one of them with its attempts. */
export function callRoutes(parts: LedgerParts): readonly AdminRoute[] {
  return [
    route({
      ...{ method: 'get', path: '/admin/api/calls', role: 'read', tag: 'calls', status: 200 },
      summary: 'Lists calls, the latest first; `next` is the `before` of the page that follows',
      query: z.looseObject(Object.fromEntries(parameters.map((name) => [name, z.string().optional()]))),
      answer: z.object({
        data: z.array(callBody.extend({ attempts: z.int() })),
        next: z.string().nullable(),
      }),
      handle: ({ query }) => pageOf(readQuery(query, parameters), parts),
    }),
    route({
      ...{ method: 'get', path: '/admin/api/calls/{id}', role: 'read', tag: 'calls', status: 200 },
      summary: 'Reads one call with its attempts',
      answer: z.object({ data: callBody.extend({ attempts: z.array(z.looseObject({})) }) }),
      async handle({ path }) {
        const call = await answered(readerOf(parts).call(path['id'] ?? ''))
        if (call !== undefined) return { data: bodyOf(call) }
        throw new Failure('not_found', 'No call has this id, or it is kept no longer.', {
          param: 'id',
          code: 'call_not_found',
        })
      },
    }),
  ]
}

const parameters = ['limit', 'before', 'from', 'to', 'status', ...callFilters]

const settlement = z.object({
  cost: z.number(),
  cost_nano_usd: z.int(),
  at: z.iso.datetime(),
  by: z.string(),
  reason: z.string(),
})

const callBody = z.looseObject({
  id: z.string(),
  key: z.string().nullable(),
  cost: z.number(),
  cost_nano_usd: z.int(),
  cost_known: z.boolean(),
  uncertain: z.number(),
  uncertain_nano_usd: z.int(),
  settled: settlement.nullable(),
})

async function pageOf(query: Query, parts: LedgerParts) {
  const now = parts.now()
  const limit = query.count('limit', 100, 1000)
  const named = callFilters.map((name) => [name, query.text(name)] as const)
  const filters = {
    ...Object.fromEntries(named.filter(([, value]) => value !== undefined)),
    failed: query.oneOf('status', ['failed']) === 'failed',
  }
  const span = { from: query.moment('from', now), to: query.moment('to', now) }
  const before = placeOf(query.text('before'))
  const page = await answered(readerOf(parts).calls({ limit, before, ...span, filters }))
  const data = page.map((call) => ({ ...bodyOf(call), attempts: call.call.attempts.length }))
  return { data, next: page.length < limit ? null : cursorOf(page.at(-1)) }
}

/** As `GET /v1/generation` tells it, with what only an operator sees. */
function bodyOf(stored: StoredCall): JsonObject {
  const { call, settled } = stored
  const attempts = call.attempts.filter(({ uncertain }) => uncertain)
  const uncertain = attempts.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0), 0)
  return {
    ...rendered(stored),
    key: call.principal ?? null,
    ...amounts('cost', settled?.nanoUsd ?? call.costNanoUsd ?? 0),
    cost_known: settled !== undefined || typeof call.costNanoUsd === 'number',
    ...amounts('uncertain', settled === undefined ? uncertain : 0),
    settled:
      settled === undefined
        ? null
        : {
            ...amounts('cost', settled.nanoUsd),
            at: new Date(settled.at).toISOString(),
            by: settled.actor,
            reason: settled.reason,
          },
  }
}

function cursorOf(last: StoredCall | undefined): string | null {
  return last === undefined ? null : `${last.startedEpochMs}_${last.call.requestId}`
}

function placeOf(cursor: string | undefined): CallPlace | undefined {
  if (cursor === undefined) return undefined
  const [, at, id] = /^(\d{1,15})_(.+)$/.exec(cursor) ?? []
  if (at !== undefined && id !== undefined) return { at: Number(at), id }
  throw new Failure('invalid_request', 'Expected the `next` of the page before.', { param: 'before' })
}
