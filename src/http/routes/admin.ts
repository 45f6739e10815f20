import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Role } from '../../core/authenticate.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { sendJson, sendText } from '../call/answer/send.ts'
import { apiKeyOf } from '../call/api-key.ts'
import { type BodyReader, hasNoBody } from '../call/body.ts'
import { type ManagerParts, managerOf } from '../call/manager.ts'
import { type AdminEvents, sendEvents } from './admin-events.ts'
import type { IdempotentAnswers } from './admin-once.ts'

/** An operation of the management API. */
export type ServedAdminRoute = {
  readonly method: 'get' | 'post' | 'patch' | 'delete'
  readonly path: string
  readonly role: Role | undefined
  readonly query?: Checked | undefined
  readonly body?: Checked | undefined
  readonly status: number
  readonly handle: (ask: {
    readonly path: Readonly<Record<string, string>>
    readonly query: Readonly<Record<string, unknown>>
    readonly body: Readonly<Record<string, unknown>>
    readonly by: string
    readonly key: string | undefined
  }) => Promise<unknown> | unknown
}

/** A schema that checks a query or a body. */
type Checked = {
  safeParse(value: unknown): {
    readonly data?: unknown
    readonly error?: {
      readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
    }
  }
}

export type AdminParts = ManagerParts & {
  readonly isLeaving: () => boolean
  readonly readBody: BodyReader
  readonly adminRoutes: readonly ServedAdminRoute[]
  /** The OpenAPI document. */
  readonly openApi: () => JsonObject
  /** The answers by Idempotency-Key. */
  readonly once: IdempotentAnswers
}

/** The management API, and its description at `GET /openapi.json`. */
export function serveAdmin(router: Router, parts: AdminParts): void {
  for (const route of parts.adminRoutes) {
    router[route.method](route.path.replace(/\{(\w+)\}/g, ':$1').replace(/\{\+(\w+)\}/g, '*$1'), (ctx) =>
      answer(ctx, route, parts),
    )
  }
  router.get('/openapi.json', (ctx) => {
    ctx.respond = false
    sendJson(ctx.req, ctx.res, 200, parts.openApi(), ['x-request-id', ctx.state['requestId'] as string])
  })
}

async function answer(ctx: Context, route: ServedAdminRoute, parts: AdminParts): Promise<void> {
  const { role } = route
  const caller =
    role === undefined ? parts.gate.admit(apiKeyOf(ctx.req)) : await managerOf(ctx.req, parts, role)
  const query = checked(route.query, ctx.query)
  const sent = route.body === undefined || hasNoBody(ctx.req) ? {} : (await parts.readBody(ctx)).json.value
  const path = ctx['params'] as Record<string, string>
  const perform = async () =>
    await route.handle({
      ...{ path, query, body: checked(route.body, sent) },
      by: caller.name ?? 'operator',
      key: caller.name === undefined ? undefined : caller.id,
    })
  const once = route.method === 'post' ? ctx.req.headers['idempotency-key'] : undefined
  const request = { key: String(once), caller: caller.id, request: [route.path, path, query, sent] }
  const result: unknown = await (once === undefined ? perform() : parts.once.run(request, perform))
  if (isEvents(result)) {
    const check = async () => role && (await managerOf(ctx.req, parts, role))
    return sendEvents(ctx, result, { isLeaving: parts.isLeaving, check })
  }
  ctx.respond = false
  const headers = ['x-request-id', ctx.state['requestId'] as string, 'cache-control', 'no-store']
  if (isText(result))
    return sendText(ctx.req, ctx.res, route.status, result.text, headers, result.contentType)
  sendJson(ctx.req, ctx.res, route.status, result as JsonObject, headers)
}

/** An answer that is not JSON. */
type Text = { readonly contentType: string; readonly text: string }

function isText(given: unknown): given is Text {
  return typeof given === 'object' && given !== null && 'contentType' in given && 'text' in given
}

function isEvents(given: unknown): given is AdminEvents {
  return (
    typeof given === 'object' && given !== null && 'listen' in given && typeof given.listen === 'function'
  )
}

function checked(schema: Checked | undefined, value: unknown): Readonly<Record<string, unknown>> {
  if (schema === undefined) return {}
  const { data, error } = schema.safeParse(value)
  const [issue] = error?.issues ?? []
  if (issue !== undefined) {
    const param = issue.path.map(String).join('.')
    throw new Failure('invalid_request', `${param === '' ? 'The body' : param}: ${issue.message}.`, {
      param: param === '' ? null : param,
    })
  }
  return data as Readonly<Record<string, unknown>>
}
