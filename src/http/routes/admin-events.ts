import type { Context } from 'koa'

/** Server-sent events until the listener leaves. */
export type AdminEvents = { listen(tell: (data: string) => void, signal: AbortSignal): void }

export type AdminEventsParts = {
  /** True from the moment the gateway is to stop. */
  readonly isLeaving: () => boolean
  /** Rejects once the listener is no longer authorised. */
  readonly check: () => Promise<unknown>
}

/**
 * Continues until the listener leaves or loses its authorisation, or the gateway stops. Browsers reconnect by
 * themselves.
 */
export function sendEvents(ctx: Context, events: AdminEvents, { isLeaving, check }: AdminEventsParts): void {
  const { res } = ctx
  const leaving = new AbortController()
  ctx.respond = false
  res.writeHead(200, [
    ...['content-type', 'text/event-stream', 'cache-control', 'no-store', 'x-accel-buffering', 'no'],
    ...['x-request-id', ctx.state['requestId'] as string, 'x-content-type-options', 'nosniff'],
  ])
  res.write(`retry: ${retryMs}\n\n`)
  let lives = 0
  const timer = setInterval(() => {
    if (isLeaving()) return end()
    lives++
    if (lives % livesPerCheck !== 0) return
    res.write(': still here\n\n')
    check().catch(end)
  }, lifeMs)
  const end = () => {
    clearInterval(timer)
    leaving.abort()
    res.end()
  }
  res.once('close', end)
  events.listen((data) => {
    // A listener that does not read misses some: nothing is buffered for it.
    if (res.writableLength < mostUnread) res.write(`data: ${data}\n\n`)
  }, leaving.signal)
}

const retryMs = 2000
const lifeMs = 500
const livesPerCheck = 20
const mostUnread = 1_000_000
