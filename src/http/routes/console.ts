import type Router from '@koa/router'
import type { Context } from 'koa'
import { Failure } from '../../core/model/failure.ts'
import { sendText } from '../call/answer/send.ts'
import { type SessionParts, serveSession } from './session.ts'

export type ConsoleParts = Omit<SessionParts, 'sessions'> & {
  /** Undefined: the console is disabled. */
  readonly console: { readonly files: ConsoleFiles; readonly sessions: SessionParts['sessions'] } | undefined
}

/** The files of the console for the browser. */
export interface ConsoleFiles {
  /** Rejects with a Failure if they are missing and cannot be built. */
  read(): Promise<ConsoleBundle>
}

export type ConsoleBundle = {
  /** The document of all pages. */
  readonly page: string
  /** Assets by name. The name contains a hash of the content. */
  readonly assets: ReadonlyMap<string, ConsoleAsset>
}

export type ConsoleAsset = { readonly type: string; readonly bytes: Buffer; readonly gzip: Buffer }

/** Serves the console at `/console`: one document for all pages, and its assets. */
export function serveConsole(router: Router, parts: ConsoleParts): void {
  if (parts.console === undefined) return
  const { files, sessions } = parts.console
  serveSession(router, { ...parts, sessions })
  router.get('/console/assets/:name', async (ctx) => {
    const name = String((ctx['params'] as Record<string, string>)['name'])
    const asset = (await files.read()).assets.get(name)
    if (asset === undefined) throw new Failure('not_found', 'The console has no such file. Reload the page.')
    sendAsset(ctx, asset)
  })
  const sendPage = async (ctx: Context) => {
    const { page } = await files.read()
    ctx.respond = false
    const headers = ['x-request-id', ctx.state['requestId'] as string, ...securityHeaders]
    sendText(ctx.req, ctx.res, 200, page, headers, 'text/html; charset=utf-8')
  }
  router.get('/console', sendPage)
  router.get('/console/', redirectToConsole)
  router.get('/console/*page', sendPage)
}

/** 302 to `/console`. */
export function redirectToConsole(ctx: Context): void {
  ctx.respond = false
  const headers = ['x-request-id', ctx.state['requestId'] as string, 'vary', 'accept']
  ctx.res.writeHead(302, [...headers, 'location', '/console', 'cache-control', 'no-store']).end()
}

const securityHeaders = [
  'content-security-policy',
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  ...['referrer-policy', 'same-origin', 'cross-origin-opener-policy', 'same-origin'],
]

function sendAsset(ctx: Context, { type, bytes, gzip }: ConsoleAsset): void {
  const isZipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip'
  const sent = isZipped ? gzip : bytes
  ctx.respond = false
  ctx.res.writeHead(200, [
    ...['content-type', type, 'content-length', String(sent.length), 'vary', 'accept-encoding'],
    ...['cache-control', 'public, max-age=31536000, immutable', 'x-content-type-options', 'nosniff'],
    ...(isZipped ? ['content-encoding', 'gzip'] : []),
    ...['x-request-id', ctx.state['requestId'] as string],
  ])
  ctx.res.end(sent)
}
