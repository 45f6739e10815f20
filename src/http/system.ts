import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Gate } from '../core/gate.ts'
import { bearerOf } from './bearer.ts'
import { sendJson, sendText } from './send.ts'

export type SystemParts = {
  readonly gate: Gate
  /** What Prometheus scrapes. */
  readonly metrics: MetricsText
  readonly version: string
  /** True when the built-in simulator answers, because no upstream is configured. */
  readonly demo: boolean
  readonly isDraining: () => boolean
}

/** The exposition of all metrics, and its content type. */
export interface MetricsText {
  readonly contentType: string
  text(): Promise<string>
}

/** Is it alive, is it ready, how is it doing. Only the metrics ask for a key, where keys are configured. */
export function serveSystem(router: Router, parts: SystemParts): void {
  router.get('/livez', (ctx) => {
    reply(ctx, 200, { status: 'ok' })
  })
  router.get('/readyz', (ctx) => {
    const draining = parts.isDraining()
    reply(ctx, draining ? 503 : 200, { status: draining ? 'draining' : 'ok' })
  })
  router.get('/health', (ctx) => {
    const draining = parts.isDraining()
    const { version, demo } = parts
    reply(ctx, draining ? 503 : 200, { status: draining ? 'draining' : 'ok', version, demo })
  })
  router.get('/metrics', async (ctx) => {
    parts.gate.admit(bearerOf(ctx.req))
    const text = await parts.metrics.text()
    ctx.respond = false
    sendText(ctx.req, ctx.res, 200, text, idOf(ctx), parts.metrics.contentType)
  })
}

function reply(ctx: Context, status: number, body: { readonly [key: string]: string | boolean }): void {
  ctx.respond = false
  sendJson(ctx.req, ctx.res, status, body, idOf(ctx))
}

function idOf(ctx: Context): readonly string[] {
  return ['x-request-id', ctx.state['requestId'] as string]
}
