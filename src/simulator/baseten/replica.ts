import { pause } from '../../core/attempt/pause.ts'

/** The replica of a deployment. It sleeps until it is called, and then takes time to start. */
export interface Replica {
  /** Starts the replica if it is asleep. */
  wake(): void
  /**
   * Starts the replica, and resolves when it is up. Rejects with the signal's reason if the client disconnects first.
   */
  ready(signal: AbortSignal): Promise<void>
}

/**
 * `coldMs` is the start-up time in milliseconds; without it, the replica is up from the beginning. `closing` aborts a
 * start.
 */
export function createReplica(coldMs: number | undefined, closing: AbortSignal): Replica {
  let up = coldMs === undefined ? Promise.resolve() : undefined
  const wake = () => {
    up ??= pause(coldMs ?? 0, closing).catch(() => never)
    return up
  }
  return {
    wake: () => void wake(),
    async ready(signal) {
      await Promise.race([wake(), pause(Number.POSITIVE_INFINITY, signal)])
    },
  }
}

/** A replica that was closed during its start never becomes ready. */
const never = new Promise<void>(() => undefined)
