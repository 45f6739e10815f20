import type { Middleware } from 'koa'

/** Makes the id of a request: `req_` and 32 hex digits. */
export type NewId = () => string

/** Gives every request its id, the caller's to quote and the log's to find it by. */
export function assignRequestId(newId: NewId): Middleware {
  return function identifyRequest(ctx, next) {
    ctx.state['requestId'] = newId()
    return next()
  }
}
