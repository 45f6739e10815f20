import type { Clock } from '../../core/model/ports.ts'
import type { SharedShelf } from '../../core/model/shared/shelf.ts'
import { digestOf, type FillRandom } from './key.ts'

/**
 * Who has signed in to the console. What a browser is given is 256 random bits; what is kept is their digest, and that
 * of the key's secret, so that a session is good no longer than its key.
 */
export interface Sessions {
  open(secret: string): Promise<OpenedSession>
  /** The digest of the secret that it was opened with; undefined: it is over, or never was. */
  find(token: string): Promise<string | undefined>
  close(token: string): Promise<void>
}

export type OpenedSession = { readonly token: string; readonly expiresEpochMs: number }

export function createSessions(
  shelf: Pick<SharedShelf, 'get' | 'put' | 'remove'>,
  clock: Pick<Clock, 'epochMs'>,
  fill: FillRandom,
): Sessions {
  return {
    async open(secret) {
      const bytes = Buffer.alloc(32)
      fill(bytes)
      const token = bytes.toString('base64url')
      await shelf.put(placeOf(token), digestOf(secret), lifetimeMs)
      return { token, expiresEpochMs: clock.epochMs() + lifetimeMs }
    },
    find: (token) => shelf.get(placeOf(token)),
    async close(token) {
      await shelf.remove(placeOf(token))
    },
  }
}

/** A working day. */
const lifetimeMs = 12 * 3_600_000

function placeOf(token: string): string {
  return `console-session:${digestOf(token)}`
}
