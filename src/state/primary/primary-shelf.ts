import type { CallSignal } from '../../core/model/call-signal.ts'
import type { SharedShelf } from '../../core/model/shared/shelf.ts'
import type { Peer } from './peer.ts'

/** The shelf of a gateway whose primary process has it. */
export function createPrimaryShelf(primary: Peer): SharedShelf {
  const asking =
    <Name extends Exclude<keyof SharedShelf, 'follow'>>(name: Name) =>
    (...given: Parameters<SharedShelf[Name]>) =>
      primary.ask(`shelf.${name}`, ...given) as ReturnType<SharedShelf[Name]>
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
  primary.tell('shelf.follow', follower, key)
  try {
    while (true) {
      const piece = await unlessAborted(primary.ask('shelf.next', follower), signal)
      if (piece === undefined) return
      yield piece as string
      signal.throwIfAborted()
    }
  } finally {
    primary.tell('shelf.leave', follower)
  }
}

function unlessAborted<Value>(asked: Promise<Value>, signal: CallSignal): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  asked.then(resolve, reject)
  return promise.finally(() => signal.removeEventListener('abort', abort))
}
