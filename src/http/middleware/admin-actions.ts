import type { IncomingMessage } from 'node:http'
import type { Middleware } from 'koa'
import { Failure } from '../../core/model/failure.ts'
import { requireJson } from '../call/body.ts'
import type { CorsSettings } from './cors.ts'

/**
 * Changes under /admin may come from the gateway's own pages, from allowed origins, or from no page at all: for another
 * page, the browser would send the user's cookies along. A body that is not JSON is refused, because a browser sends
 * other types without a preflight.
 */
export function refuseForeignActions({ origins }: CorsSettings): Middleware {
  const known = new Set(origins)
  return function refuse(ctx, next) {
    // Routes match case-sensitively, and so does this.
    if (!ctx.path.startsWith('/admin/') || harmless.has(ctx.method)) return next()
    if (isForeign(ctx.req, known)) {
      throw new Failure('forbidden', 'Pages of this origin may not change anything here: see cors.origins.', {
        code: 'origin_not_allowed',
      })
    }
    if (ctx.method !== 'DELETE') requireJson(ctx)
    return next()
  }
}

const harmless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

function isForeign({ headers }: IncomingMessage, known: ReadonlySet<string>): boolean {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (origin === undefined) return site === 'cross-site' || site === 'same-site'
  if (known.has(origin)) return false
  return !URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase()
}
