import { setImmediate } from 'node:timers/promises'
import type { Config } from '../../config.ts'
import type { Failure } from '../../core/model/failure.ts'
import { revoked } from '../../http/call/open-calls.ts'
import { createSnapshot, type LastingTimes, type Snapshot } from './snapshot.ts'

/** The snapshot in use, and those before it whose calls are not over yet. Disposing it releases them all. */
export interface LiveConfig extends AsyncDisposable {
  /** A request takes it once, at its beginning. */
  readonly current: Snapshot
  /** Has requests from now on answered by this configuration. Throws, and changes nothing, when it cannot be. */
  take(config: Config): void
  /** Has the connection of each call in flight closed after its answer. */
  hangUp(): void
  /** Ends every call in flight, and every later one, with this failure. */
  end(failure: Failure): void
  /** Ends the calls of these keys that are in flight. */
  revoke(keys: readonly string[]): void
}

export function createLiveConfig(config: Config, lasting: LastingTimes): LiveConfig {
  let current = createSnapshot(config, lasting)
  const all = new Set([current])
  const retire = async (snapshot: Snapshot) => {
    snapshot.rest()
    // A request that has just begun is counted among the calls by the end of the turn.
    await setImmediate()
    await snapshot.callsEnded()
    all.delete(snapshot)
    await snapshot[Symbol.asyncDispose]()
  }
  return {
    get current() {
      return current
    },
    take(next) {
      const before = current
      current = createSnapshot(next, lasting, before)
      all.add(current)
      retire(before).catch((err: unknown) =>
        lasting.log.error({ err }, 'an old configuration is still in use'),
      )
    },
    hangUp() {
      for (const snapshot of all) snapshot.hangUp()
    },
    end(failure) {
      for (const snapshot of all) snapshot.endCalls(failure)
    },
    revoke(keys) {
      for (const snapshot of all) for (const key of keys) snapshot.endCallsOf(key, revoked())
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(Array.from(all, (snapshot) => snapshot[Symbol.asyncDispose]()))
    },
  }
}
