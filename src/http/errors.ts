import type { Context, Middleware } from 'koa'
import { asFailure, Failure } from '../core/failure.ts'
import { inference } from '../dialects/inference.ts'
import { openAiError } from '../dialects/openai-error.ts'
import { sendJson } from './send.ts'

/** Answers what no handler has: unknown paths, wrong methods, and whatever a handler threw. */
export function answerErrors(): Middleware {
  return async function answerError(ctx, next) {
    try {
      await next()
      if (ctx.respond === false) return
      const allow = allowedOn(ctx)
      if (ctx.method !== 'OPTIONS' || allow === undefined) throw unanswered(ctx, allow)
      ctx.set('x-request-id', ctx.state['requestId'] as string)
    } catch (thrown) {
      answer(ctx, asFailure(thrown))
    }
  }
}

/** The methods that the path has, as the router noted them; undefined for a path it does not know. */
function allowedOn(ctx: Context): string | undefined {
  const allow = ctx.res.getHeader('allow')
  return typeof allow === 'string' && allow !== '' ? allow : undefined
}

function unanswered(ctx: Context, allow: string | undefined): Failure {
  if (allow === undefined) {
    return new Failure('not_found', `Unknown request URL: ${ctx.method} ${shownPath(ctx)}.`)
  }
  return new Failure(
    'method_not_allowed',
    `Not allowed to ${ctx.method} on ${shownPath(ctx)}. Try: ${allow}.`,
    {
      headers: { allow },
    },
  )
}

function answer(ctx: Context, failure: Failure): void {
  const headers = ['x-request-id', ctx.state['requestId'] as string]
  for (const [name, value] of Object.entries(failure.headers)) headers.push(name, value)
  ctx.respond = false
  const body = ctx.path === '/inference' ? inference.fail(failure) : openAiError(failure)
  sendJson(ctx.req, ctx.res, failure.status, body, headers)
}

/** Enough of the path to see the mistake; never its query, which may hold a key. */
function shownPath({ path }: Context): string {
  return path.length > 200 ? `${path.slice(0, 200)}…` : path
}
