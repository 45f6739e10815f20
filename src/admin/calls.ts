import type Router from '@koa/router'
import { Failure } from '../core/model/failure.ts'
import type { JsonObject } from '../core/model/json.ts'
import { sendJson } from '../http/call/send.ts'
import { rendered } from '../http/routes/generation.ts'
import { type CallPlace, callFilters, type StoredCall } from '../ledger/store/calls.ts'
import { amounts } from './amounts.ts'
import { answered, idHeaders, type LedgerRouteParts, openReader } from './ledger-access.ts'
import { readQuery } from './query.ts'

/**
 * `GET /admin/api/calls?limit=100&before=…`: calls, the latest first, a page at a time; `next` is the `before` of the
 * page that follows. `GET /admin/api/calls/{id}`: one of them, with its attempts.
 */
export function serveCalls(router: Router, parts: LedgerRouteParts): void {
  router.get('/admin/api/calls', async (ctx) => {
    const reader = openReader(ctx, parts)
    const query = readQuery(ctx.query, ['limit', 'before', 'from', 'to', 'status', ...callFilters])
    const now = parts.now()
    const limit = query.count('limit', 100, 1000)
    const named = callFilters.map((name) => [name, query.text(name)] as const)
    const filters = {
      ...Object.fromEntries(named.filter(([, value]) => value !== undefined)),
      failed: query.oneOf('status', ['failed']) === 'failed',
    }
    const span = { from: query.moment('from', now), to: query.moment('to', now) }
    const before = placeOf(query.text('before'))
    const page = await answered(reader.calls({ limit, before, ...span, filters }))
    const data = page.map((call) => ({ ...bodyOf(call), attempts: call.call.attempts.length }))
    const next = page.length < limit ? null : cursorOf(page.at(-1))
    sendJson(ctx.req, ctx.res, 200, { data, next }, idHeaders(ctx))
  })
  router.get('/admin/api/calls/:id', async (ctx) => {
    const reader = openReader(ctx, parts)
    const call = await answered(reader.call(ctx['params']['id'] as string))
    if (call === undefined) {
      throw new Failure('not_found', 'No call has this id, or it is kept no longer.', {
        param: 'id',
        code: 'call_not_found',
      })
    }
    sendJson(ctx.req, ctx.res, 200, { data: bodyOf(call) }, idHeaders(ctx))
  })
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
