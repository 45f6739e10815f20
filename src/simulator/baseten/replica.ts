import { pause } from '../../core/attempt/pause.ts'

/** What runs a deployment: asleep until something is asked of it, then for a while on its way up. */
export interface Replica {
  /** Has it start, where it has not. */
  wake(): void
  /** Resolves when it is up, having had it start; rejects with the signal's reason when the client goes first. */
  ready(signal: AbortSignal): Promise<void>
}

/** Up from the beginning without `coldMs`, the milliseconds it takes to start. `closing` ends what is under way. */
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

/** One that was closed while starting accepts no requests. */
const never = new Promise<void>(() => undefined)
