import type { Clock } from '../../core/model/ports.ts'
import type { SharedCache } from '../../core/model/shared/cache.ts'
import { digestOf, type FillRandom } from './key.ts'

/**
 * Sessions of the console. The browser gets 256 random bits. The gateway keeps their digest and that of the key's
 * secret, so a session is valid no longer than its key.
 */
export interface Sessions {
  open(secret: string): Promise<OpenedSession>
  /** The digest of the secret that it was opened with. Undefined: it has ended, or never existed. */
  find(token: string): Promise<string | undefined>
  close(token: string): Promise<void>
}

export type OpenedSession = { readonly token: string; readonly expiresEpochMs: number }

export function createSessions(
  cache: Pick<SharedCache, 'get' | 'put' | 'remove'>,
  clock: Pick<Clock, 'epochMs'>,
  fill: FillRandom,
): Sessions {
  return {
    async open(secret) {
      const bytes = Buffer.alloc(32)
      fill(bytes)
      const token = bytes.toString('base64url')
      await cache.put(placeOf(token), digestOf(secret), lifetimeMs)
      return { token, expiresEpochMs: clock.epochMs() + lifetimeMs }
    },
    find: (token) => cache.get(placeOf(token)),
    async close(token) {
      await cache.remove(placeOf(token))
    },
  }
}

/** A working day. */
const lifetimeMs = 12 * 3_600_000

function placeOf(token: string): string {
  return `console-session:${digestOf(token)}`
}
