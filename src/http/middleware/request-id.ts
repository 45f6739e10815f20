import { Buffer } from 'node:buffer'
import type { Middleware } from 'koa'
import type { Clock } from '../../core/model/ports.ts'

/** Creates the id of a request: `req_` and 32 hex digits. */
export type NewId = () => string

/** Gives every request its id, which the caller can quote and the log can be searched for. */
export function assignRequestId(newId: NewId): Middleware {
  return function identifyRequest(ctx, next) {
    ctx.state['requestId'] = newId()
    return next()
  }
}

/**
 * Creates ids of the time in milliseconds and 80 random bits, 12 and 20 hex digits. Ids in order of time stay together
 * in a store's index, as in RFC 9562 5.7: random ones cost the ledger's thread twice as much. `fill` fills bytes with
 * random data, for many ids at once, because a draw takes longer than the rest.
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
