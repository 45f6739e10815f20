import Koa, { type Context } from 'koa'

/**
 * Koa without its watch on the end of each response (on-finished), which costs every call two kilobytes: a handler that
 * answers here sets `ctx.respond = false`, writes the response itself, and gets its end from Node.
 */
export class LightKoa extends Koa {
  /** Like Koa's own, which its `callback` calls for each request. */
  handleRequest(ctx: Context, answer: (ctx: Context) => Promise<unknown>): Promise<unknown> {
    ctx.res.statusCode = 404
    return answer(ctx).catch((thrown: Error) => ctx.onerror(thrown))
  }
}
