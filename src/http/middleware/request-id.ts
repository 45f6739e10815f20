import { Buffer } from 'node:buffer'
import type { Middleware } from 'koa'
import type { Clock } from '../../core/model/ports.ts'

/** Creates the id of a request: `req_` and 32 hex digits. */
export type NewId = () => string

/** Gives every request an id, which the caller can quote and operators can find in the log. */
export function assignRequestId(newId: NewId): Middleware {
  return function identifyRequest(ctx, next) {
    ctx.state['requestId'] = newId()
    return next()
  }
}

/**
 * Creates ids from the time in milliseconds (12 hex digits) and 80 random bits (20 hex digits). Ids in order of time
 * are adjacent in a store's index, as in RFC 9562 5.7; random ids take the ledger's thread twice as long. `fill` fills
 * a buffer with random data. It is called for many ids at once, because it is the most expensive step.
 */
export function createRequestIds(clock: Pick<Clock, 'epochMs'>, fill: (bytes: Buffer) => void): NewId {
  const random = Buffer.alloc(256 * randomBytes)
  let at = random.length
  let ms = Number.NaN
  let time = ''
  return () => {
    const nowMs = clock.epochMs()
    if (nowMs !== ms) time = `req_${nowMs.toString(16).padStart(12, '0')}`
    ms = nowMs
    if (at === random.length) {
      fill(random)
      at = 0
    }
    at += randomBytes
    return time + random.toString('hex', at - randomBytes, at)
  }
}

const randomBytes = 10
