import { pause } from '../../core/attempt/pause.ts'

/** The workers of one simulated endpoint. They start when there is work, and run one job at a time. */
export interface Workers {
  /**
   * Waits for a worker, and starts one if the limit allows. Return the worker with `free`. Rejects with the signal's
   * reason.
   */
  take(signal: AbortSignal): Promise<void>
  free(): void
  counts(): WorkerCounts
}

export type WorkerCounts = {
  readonly idle: number
  readonly initializing: number
  readonly ready: number
  readonly running: number
  readonly throttled: number
}

export type WorkersOptions = {
  readonly maxWorkers: number
  /** The start-up time of a worker. */
  readonly coldMs: number
  /** The time for which an idle worker stays up. */
  readonly idleMs: number
  readonly now: () => number
  /** Aborts when the endpoint closes. */
  readonly closing: AbortSignal
}

export function createWorkers({ maxWorkers, coldMs, idleMs, now, closing }: WorkersOptions): Workers {
  const waiting: (() => void)[] = []
  /** The times at which the idle workers became idle. */
  let idleSince: number[] = []
  let initializing = 0
  let running = 0

  function scaleDown(): void {
    idleSince = idleSince.filter((since) => now() - since < idleMs)
  }

  function release(): void {
    const next = waiting.shift()
    if (next === undefined) idleSince.push(now())
    else {
      running++
      next()
    }
  }

  function start(): void {
    if (initializing + running >= maxWorkers || initializing >= waiting.length) return
    initializing++
    pause(coldMs, closing).then(
      () => {
        initializing--
        release()
      },
      () => undefined,
    )
  }

  function wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(turn), 1)
        reject(signal.reason)
      }
      const turn = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      waiting.push(turn)
      signal.addEventListener('abort', leave, { once: true })
      start()
    })
  }

  return {
    async take(signal) {
      signal.throwIfAborted()
      scaleDown()
      if (idleSince.pop() === undefined) return await wait(signal)
      running++
    },
    free() {
      running--
      release()
    },
    counts() {
      scaleDown()
      const idle = idleSince.length
      return { idle, initializing, ready: idle + running, running, throttled: 0 }
    },
  }
}
