import { STATUS_CODES } from 'node:http'
import type { Context, Middleware } from 'koa'
import type { AnyCall } from '../../core/model/call.ts'
import { asFailure, Failure } from '../../core/model/failure.ts'
import { didYouMean } from '../../core/model/json/nearest.ts'
import { anthropic } from '../../dialects/anthropic/anthropic.ts'
import { chat } from '../../dialects/openai/chat.ts'
import type { WireFormat } from '../../dialects/shared/dialect.ts'
import { sendJson } from '../call/answer/send.ts'
import type { KeyBrake } from '../call/key-brake.ts'
import { requestedPath } from './azure.ts'
import { notImplementedAt } from './not-implemented.ts'

/**
 * Answers unknown paths, wrong methods, and errors that handlers throw, in the format of the dialect that owns the
 * path. For an unknown path it suggests the nearest of `paths`. `calls` are all dialects.
 */
export function answerErrors(
  calls: readonly WireFormat<AnyCall>[],
  paths: () => Iterable<string> = () => [],
  brake: KeyBrake = (_request, thrown) => thrown,
): Middleware {
  const owners = ownersByPath(calls)
  return function answerError(ctx, next) {
    const failed = (thrown: unknown) => answer(ctx, asFailure(brake(ctx.req, thrown)), owners)
    // koa-compose rejects if a handler throws.
    return next().then(() => {
      // An answered request, the usual case, costs one promise rather than two.
      if (ctx.respond === false) return undefined
      try {
        return answerUnhandled(ctx, paths)
      } catch (thrown) {
        return failed(thrown)
      }
    }, failed)
  }
}

function answerUnhandled(ctx: Context, paths: () => Iterable<string>): void {
  const allow = allowedOn(ctx)
  if (ctx.method !== 'OPTIONS' || allow === undefined) throw failureOfUnhandled(ctx, allow, paths)
  ctx.set('x-request-id', ctx.state['requestId'] as string)
  ctx.respond = false
  ctx.res.end()
}

/** The methods of the path, which the router has set; undefined for an unknown path. */
function allowedOn(ctx: Context): string | undefined {
  const allow = ctx.res.getHeader('allow')
  return typeof allow === 'string' && allow !== '' ? allow : undefined
}

function failureOfUnhandled(ctx: Context, allow: string | undefined, paths: () => Iterable<string>): Failure {
  const notImplemented = notImplementedAt(ctx.path, ctx.method)
  if (notImplemented !== undefined) {
    // The router has set the methods of a similar path.
    ctx.res.removeHeader('allow')
    return notImplemented
  }
  if (allow === undefined) {
    const near = didYouMean(requestedPath(ctx), paths())
    return new Failure('not_found', `Unknown request URL: ${ctx.method} ${shownPath(ctx)}.${near}`)
  }
  return new Failure(
    'method_not_allowed',
    `Not allowed to ${ctx.method} on ${shownPath(ctx)}. Try: ${allow}.`,
    {
      headers: { allow },
    },
  )
}

function answer(ctx: Context, failure: Failure, owners: Owners): void {
  const id = ctx.state['requestId'] as string
  const headers = ['x-request-id', id]
  for (const [name, value] of Object.entries(failure.headers)) headers.push(name, value)
  if (failure.retryAfterMs !== undefined) {
    headers.push('retry-after', String(Math.max(1, Math.ceil(failure.retryAfterMs / 1000))))
  }
  ctx.respond = false
  // The router may have changed the message.
  ctx.res.statusMessage = STATUS_CODES[failure.status] ?? ''
  const { fail, requestIdHeader } = dialectOf(ctx, owners)
  if (requestIdHeader !== undefined) headers.push(requestIdHeader, id)
  sendJson(ctx.req, ctx.res, failure.status, fail(failure, id), headers)
}

type Owners = ReadonlyMap<string, WireFormat<AnyCall>>

function ownersByPath(calls: readonly WireFormat<AnyCall>[]): Owners {
  return new Map(calls.flatMap((call) => call.prefixes.map((prefix) => [prefix + call.path, call] as const)))
}

/**
 * The dialect that owns the path, or the nearest path above it: `/v1/messages/count_tokens` is below `/v1/messages`. A
 * dialect whose path is only a prefix does not own paths below it. Requests with Anthropic's version header always get
 * Anthropic's format.
 */
function dialectOf({ path, headers }: Context, owners: Owners): WireFormat<AnyCall> {
  const own = owners.get(path)
  if (own !== undefined) return own
  if (headers['anthropic-version'] !== undefined) return anthropic
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const above = owners.get(path.slice(0, end))
    if (above !== undefined && above.path !== '') return above
  }
  return chat
}

/** The start of the path. The query is left out, because it may contain a key. */
function shownPath(ctx: Context): string {
  const path = requestedPath(ctx)
  return path.length > 200 ? `${path.slice(0, 200)}…` : path
}
