import type { CallSignal } from '../../core/model/call-signal.ts'
import type { SharedCache } from '../../core/model/shared/cache.ts'
import type { Peer } from './peer.ts'

/** The shared cache for a worker: the primary process holds it. */
export function createPrimaryCache(primary: Peer): SharedCache {
  const asking =
    <Name extends Exclude<keyof SharedCache, 'follow'>>(name: Name) =>
    (...given: Parameters<SharedCache[Name]>) =>
      primary.ask(`cache.${name}`, ...given) as ReturnType<SharedCache[Name]>
  let lastFollower = 0
  return {
    get: asking('get'),
    put: asking('put'),
    remove: asking('remove'),
    begin: asking('begin'),
    append: asking('append'),
    finish: asking('finish'),
    abandon: asking('abandon'),
    forget: asking('forget'),
    follow: (key, signal) => follow(primary, ++lastFollower, key, signal),
  }
}

async function* follow(
  primary: Peer,
  follower: number,
  key: string,
  signal: CallSignal,
): AsyncGenerator<string, void, void> {
  signal.throwIfAborted()
  primary.tell('cache.follow', follower, key)
  try {
    while (true) {
      const piece = await unlessAborted(primary.ask('cache.next', follower), signal)
      if (piece === undefined) return
      yield piece as string
      signal.throwIfAborted()
    }
  } finally {
    primary.tell('cache.leave', follower)
  }
}

function unlessAborted<Value>(pending: Promise<Value>, signal: CallSignal): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  pending.then(resolve, reject)
  return promise.finally(() => signal.removeEventListener('abort', abort))
}
