import type { IncomingMessage } from 'node:http'
import type { Middleware } from 'koa'
import { Failure } from '../../core/model/failure.ts'
import { requireJson } from '../call/body.ts'
import type { CorsSettings } from './cors.ts'

/**
 * What changes something under /admin is asked for by the gateway's own pages, by those of the origins that are let
 * in by
 * name, or by no page at all: another page's browser would send it along with what lets its user in. A body that is no
 * JSON is refused, for a browser sends any other type without asking first.
 */
export function refuseForeignActions({ origins }: CorsSettings): Middleware {
  const known = new Set(origins)
  return function refuse(ctx, next) {
    // Routes are matched letter by letter, and so is this.
    if (!ctx.path.startsWith('/admin/') || harmless.has(ctx.method)) return next()
    if (isForeign(ctx.req, known)) {
      throw new Failure('forbidden', 'A page of this origin may change nothing here: see cors.origins.', {
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
