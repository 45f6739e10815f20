import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Authenticator } from '../../core/authenticate.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { ResponseStore, StoredResponse } from '../../core/reuse/response-store.ts'
import { sendJson } from '../call/answer/send.ts'
import { apiKeyOf } from '../call/api-key.ts'

export type StoredResponsesParts = {
  readonly gate: Authenticator
  readonly responseStore: ResponseStore
}

/**
 * Serves the caller's own stored responses: `GET` and `DELETE {prefix}/responses/{id}`, and `GET
 * {prefix}/responses/{id}/input_items`.
 */
export function serveStoredResponses(router: Router, prefix: string, parts: StoredResponsesParts): void {
  const { responseStore } = parts
  const path = `${prefix}/responses/:id`
  router.get(path, async (ctx) => {
    const { response } = await find(ctx, parts)
    if (ctx.query['stream'] === 'true') throw streamNotStored()
    answer(ctx, response)
  })
  router.delete(path, async (ctx) => {
    const id = idOf(ctx)
    if (!(await responseStore.remove(tenantOf(ctx, parts), id))) throw notFound(id)
    answer(ctx, { id, object: 'response', deleted: true })
  })
  router.get(`${path}/input_items`, async (ctx) => {
    answer(ctx, pageOf((await find(ctx, parts)).input, ctx.query))
  })
}

async function find(ctx: Context, parts: StoredResponsesParts): Promise<StoredResponse> {
  const id = idOf(ctx)
  const found = await parts.responseStore.find(tenantOf(ctx, parts), id)
  if (found === undefined) throw notFound(id)
  return found
}

function tenantOf({ req }: Context, { gate }: StoredResponsesParts): string {
  return gate.admit(apiKeyOf(req)).id
}

function idOf(ctx: Context): string {
  const { id } = ctx['params'] as { readonly id?: string }
  return id ?? ''
}

/** The same error for an unknown id and for another caller's response. */
function notFound(id: string): Failure {
  return new Failure('not_found', `Response with id '${id.slice(0, 100)}' not found.`, { code: null })
}

function streamNotStored(): Failure {
  return new Failure(
    'invalid_request',
    'The events of a response are not stored. Request it without stream.',
    {
      param: 'stream',
    },
  )
}

function answer(ctx: Context, body: JsonObject): void {
  ctx.respond = false
  sendJson(ctx.req, ctx.res, 200, body, ['x-request-id', ctx.state['requestId'] as string])
}

/** A page of a list in OpenAI's format, latest first by default. Throws Failure `invalid_request`. */
function pageOf(items: readonly JsonObject[], { order, after, limit }: Context['query']): JsonObject {
  const ordered = order === 'asc' ? items : items.toReversed()
  const start = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1
  const data = ordered.slice(start, start + limitOf(limit))
  return {
    object: 'list',
    data,
    first_id: data[0]?.['id'] ?? null,
    last_id: data.at(-1)?.['id'] ?? null,
    has_more: start + data.length < ordered.length,
  }
}

function limitOf(text: string | string[] | undefined): number {
  if (text === undefined) return defaultLimit
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= mostItems) return limit
  throw new Failure('invalid_request', `Invalid 'limit': expected an integer from 1 to ${mostItems}.`, {
    param: 'limit',
  })
}

const defaultLimit = 20
const mostItems = 100
