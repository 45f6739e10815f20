import { hash } from 'node:crypto'
import { apiKeyOf } from './api-key.ts'
import type { BodyReader } from './body.ts'
import { readHeld, type Shedding } from './shedding.ts'

/**
 * Reads the bodies of requests that are not calls. They count towards the limits of bodies in flight, because a caller
 * could fill the memory with them. Use it after authentication.
 */
export function createRouteBodyReader(read: BodyReader, shedding: Pick<Shedding, 'admit'>): BodyReader {
  return async (ctx) => {
    const bearer = apiKeyOf(ctx.req)
    using admission = shedding.admit(bearer === undefined ? 'anyone' : hash('sha256', bearer, 'hex'))
    return await readHeld(ctx, admission, read)
  }
}
