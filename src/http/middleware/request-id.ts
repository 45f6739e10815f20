import { Buffer } from 'node:buffer'
import type { Middleware } from 'koa'
import type { Clock } from '../../core/model/ports.ts'

/** Makes the id of a request: `req_` and 32 hex digits. */
export type NewId = () => string

/** Gives every request its id, the caller's to quote and the log's to find it by. */
export function assignRequestId(newId: NewId): Middleware {
  return function identifyRequest(ctx, next) {
    ctx.state['requestId'] = newId()
    return next()
  }
}

/**
 * Ids of the time in milliseconds and 80 random bits, 12 and 20 hex digits. Ids in the order of time stay together in a
 * store's index, as those of RFC 9562 5.7 do: random ones cost the ledger's thread twice as much. `fill` fills bytes at
 * random, for many ids at once: a draw takes longer than all else in making an id.
 */
export function createRequestIds(clock: Pick<Clock, 'epochMs'>, fill: (bytes: Buffer) => void): NewId {
  const drawn = Buffer.alloc(256 * randomBytes)
  let at = drawn.length
  let ms = Number.NaN
  let time = ''
  return () => {
    const nowMs = clock.epochMs()
    if (nowMs !== ms) time = `req_${nowMs.toString(16).padStart(12, '0')}`
    ms = nowMs
    if (at === drawn.length) {
      fill(drawn)
      at = 0
    }
    at += randomBytes
    return time + drawn.toString('hex', at - randomBytes, at)
  }
}

const randomBytes = 10
