import type { Context } from 'koa'

/** A source of server-sent events. `signal` aborts when the listener disconnects. */
export type AdminEvents = { listen(tell: (data: string) => void, signal: AbortSignal): void }

export type AdminEventsParts = {
  /** True as soon as the gateway begins to stop. */
  readonly isLeaving: () => boolean
  /** Rejects once the listener is no longer authorised. */
  readonly check: () => Promise<unknown>
}

/**
 * Sends events until the listener disconnects or loses its authorisation, or the gateway stops. Browsers reconnect by
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
  let ticks = 0
  const timer = setInterval(() => {
    if (isLeaving()) return end()
    ticks++
    if (ticks % ticksPerCheck !== 0) return
    res.write(': still here\n\n')
    check().catch(end)
  }, tickMs)
  const end = () => {
    clearInterval(timer)
    leaving.abort()
    res.end()
  }
  res.once('close', end)
  events.listen((data) => {
    // A listener that does not read misses events, because they must not fill the memory.
    if (res.writableLength < maxUnreadBytes) res.write(`data: ${data}\n\n`)
  }, leaving.signal)
}

const retryMs = 2000
const tickMs = 500
const ticksPerCheck = 20
const maxUnreadBytes = 1_000_000
