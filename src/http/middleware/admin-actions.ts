import type { IncomingMessage } from 'node:http'
import type { Middleware } from 'koa'
import { Failure } from '../../core/model/failure.ts'
import { apiKeyOf } from '../call/api-key.ts'
import { hasNoBody, requireJson } from '../call/body.ts'
import type { CorsSettings } from './cors.ts'

/**
 * Refuses changes under /admin from pages of other origins, for which the browser would send the user's cookies. Pages
 * of the gateway and of allowed origins, and clients other than browsers, are accepted. A body that is not JSON is
 * refused, because a browser sends other types without a preflight; a request without a body needs a key in a header.
 */
export function refuseForeignActions({ origins }: CorsSettings): Middleware {
  const known = new Set(origins)
  return function refuse(ctx, next) {
    // Routes match case-sensitively too.
    if (!ctx.path.startsWith('/admin/') || harmless.has(ctx.method)) return next()
    if (isForeign(ctx.req, known)) {
      throw new Failure(
        'forbidden',
        'Pages of this origin may not use the management API. Add the origin to cors.origins.',
        {
          code: 'origin_not_allowed',
        },
      )
    }
    if (ctx.method !== 'DELETE' && !isBareWithKey(ctx.req)) requireJson(ctx)
    return next()
  }
}

const harmless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** A browser sends a key in a header of a request only after a preflight. */
function isBareWithKey(request: IncomingMessage): boolean {
  return apiKeyOf(request) !== undefined && hasNoBody(request)
}

function isForeign({ headers }: IncomingMessage, known: ReadonlySet<string>): boolean {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (origin === undefined) return site === 'cross-site' || site === 'same-site'
  if (known.has(origin)) return false
  return !URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase()
}
