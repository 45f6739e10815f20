import { setImmediate } from 'node:timers/promises'
import type { Config } from '../../config.ts'
import type { Failure } from '../../core/model/failure.ts'
import { revoked } from '../../http/call/open-calls.ts'
import { createSnapshot, type LastingTimes, type Snapshot } from './snapshot.ts'

/** The snapshot in use, and older ones that still have running calls. Disposing it releases all of them. */
export interface LiveConfig extends AsyncDisposable {
  /** A request takes it once, at its start. */
  readonly current: Snapshot
  /** Answers requests with this configuration from now on. Throws, and changes nothing, if it cannot be used. */
  take(config: Config): void
  /** Closes the connection of each running call after its answer. */
  hangUp(): void
  /** Ends every running and every later call with this failure. */
  end(failure: Failure): void
  /** Ends the running calls of these keys. */
  revoke(keys: readonly string[]): void
}

export function createLiveConfig(config: Config, lasting: LastingTimes): LiveConfig {
  let current = createSnapshot(config, lasting)
  const all = new Set([current])
  const retire = async (snapshot: Snapshot) => {
    snapshot.rest()
    // A request that has just begun is registered as a call only at the end of the turn.
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
