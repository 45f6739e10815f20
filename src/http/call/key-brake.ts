import type { IncomingMessage } from 'node:http'
import { Failure } from '../../core/model/failure.ts'
import { createLruMap } from '../../core/model/lru-map.ts'
import type { Clock } from '../../core/model/ports.ts'

/**
 * The failure to answer with: the one thrown, or, after too many wrong keys from its address, one that asks to wait. It
 * sees only failures: a caller with a valid key is never slowed down.
 */
export type KeyBrake = (request: IncomingMessage, thrown: unknown) => unknown

export function createKeyBrake(
  addressOf: (request: IncomingMessage) => string,
  clock: Pick<Clock, 'now'>,
): KeyBrake {
  /** When each address has its full allowance again. */
  const fullAt = createLruMap<number>(mostAddresses)
  return (request, thrown) => {
    if (!isWrongKey(thrown)) return thrown
    const address = networkOf(addressOf(request))
    const now = clock.now()
    const next = Math.max(fullAt.get(address) ?? 0, now) + perFailureMs
    if (next - now <= burst * perFailureMs) {
      fullAt.set(address, next)
      return thrown
    }
    return new Failure(
      'limit_reached',
      'Too many wrong keys came from this address, and this one is wrong too.',
      {
        code: 'too_many_wrong_keys',
        retryAfterMs: Math.ceil(next - now - burst * perFailureMs),
        shown: { type: 'invalid_request_error' },
      },
    )
  }
}

/** A hundred at once, and one per second: hopeless for guessing, and enough for a misconfigured client. */
const burst = 100
const perFailureMs = 1000
const mostAddresses = 10_000

/** A wrong key; a missing key is not a guess. */
function isWrongKey(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.kind === 'unauthorized' && thrown.code === 'invalid_api_key'
}

/** The owner of an IPv6 address has all addresses with its prefix. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length)
  return [...first, ...Array<string>(missing).fill('0'), ...last].slice(0, 4).join(':')
}
