import { hash } from 'node:crypto'
import { apiKeyOf } from './api-key.ts'
import type { BodyReader } from './body.ts'
import { readHeld, type Shedding } from './shedding.ts'

/**
 * Reads the bodies of requests that are no calls, and holds room for them as for a call's: a caller could otherwise fill
 * the memory by those. To be used once the caller has been let in.
 */
export function createRouteBodyReader(read: BodyReader, shedding: Pick<Shedding, 'admit'>): BodyReader {
  return async (ctx) => {
    const bearer = apiKeyOf(ctx.req)
    using admission = shedding.admit(bearer === undefined ? 'anyone' : hash('sha256', bearer, 'hex'))
    return await readHeld(ctx, admission, read)
  }
}
