import type { IncomingMessage } from 'node:http'
import { Failure } from '../../core/model/failure.ts'
import { createLruMap } from '../../core/model/lru-map.ts'
import type { Clock } from '../../core/model/ports.ts'

/**
 * Returns the error to answer with: the thrown one, or a 429 after too many wrong keys from its address. It is called
 * only for errors, so callers with a valid key are never limited.
 */
export type KeyBrake = (request: IncomingMessage, thrown: unknown) => unknown

export function createKeyBrake(
  addressOf: (request: IncomingMessage) => string,
  clock: Pick<Clock, 'now'>,
): KeyBrake {
  /** The time at which each address has its full allowance again. */
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
    return new Failure('limit_reached', 'Too many requests with invalid keys came from this address.', {
      code: 'too_many_wrong_keys',
      retryAfterMs: Math.ceil(next - now - burst * perFailureMs),
      shown: { type: 'invalid_request_error' },
    })
  }
}

/** 100 at once, then one per second. Too few to guess keys, but enough for a misconfigured client. */
const burst = 100
const perFailureMs = 1000
const mostAddresses = 10_000

/** True for a wrong key. A missing key does not count. */
function isWrongKey(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.kind === 'unauthorized' && thrown.code === 'invalid_api_key'
}

/** The network of an address: for IPv6 the /64 prefix, because its owner can use all addresses in it. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length)
  return [...first, ...Array<string>(missing).fill('0'), ...last].slice(0, 4).join(':')
}
