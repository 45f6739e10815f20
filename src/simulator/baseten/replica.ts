import { pause } from '../../core/attempt/pause.ts'

/** A deployment's replica: asleep until it is called, then starting for a while. */
export interface Replica {
  /** Starts it, if it is asleep. */
  wake(): void
  /** Starts it, and resolves when it is up; rejects with the signal's reason if the client leaves first. */
  ready(signal: AbortSignal): Promise<void>
}

/** Up from the beginning without `coldMs`, the milliseconds to start. `closing` ends everything. */
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

/** After closing during a start it accepts no requests. */
const never = new Promise<void>(() => undefined)
