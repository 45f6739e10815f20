import type { IncomingMessage } from 'node:http'
import { Failure } from '../../core/model/failure.ts'
import { createLruMap } from '../../core/model/lru-map.ts'
import type { Clock } from '../../core/model/ports.ts'

/**
 * What a request that failed is answered with: as it was thrown, or, where too many wrong keys came from its address, that
 * it is to wait. It sees failures alone: a caller whose key is right never waits for those who guess.
 */
export type KeyBrake = (request: IncomingMessage, thrown: unknown) => unknown

export function createKeyBrake(
  addressOf: (request: IncomingMessage) => string,
  clock: Pick<Clock, 'now'>,
): KeyBrake {
  /** When each address may fail as often as at first again. */
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
      'Too many wrong keys came from this address: this one is wrong, too.',
      {
        code: 'too_many_wrong_keys',
        retryAfterMs: Math.ceil(next - now - burst * perFailureMs),
        shown: { type: 'invalid_request_error' },
      },
    )
  }
}

/** A hundred at once, and one a second: far from any key, and enough for a client that was set up wrongly. */
const burst = 100
const perFailureMs = 1000
const mostAddresses = 10_000

/** One that was sent, and is none: no key at all is no guess. */
function isWrongKey(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.kind === 'unauthorized' && thrown.code === 'invalid_api_key'
}

/** Who has one address of IPv6 has all that begin like it. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length)
  return [...first, ...Array<string>(missing).fill('0'), ...last].slice(0, 4).join(':')
}
