import { pause } from '../../core/attempt/pause.ts'

/** The workers of one simulated endpoint: none until there is work, and one job at a time for each. */
export interface Workers {
  /** Waits for a worker, and starts one if the limit allows; rejects with the signal's reason. Return it by `free`. */
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
  readonly most: number
  /** How long a worker takes to start. */
  readonly coldMs: number
  /** How long an idle one stays up. */
  readonly idleMs: number
  readonly now: () => number
  /** Aborts when the endpoint closes. */
  readonly closing: AbortSignal
}

export function createWorkers({ most, coldMs, idleMs, now, closing }: WorkersOptions): Workers {
  const waiting: (() => void)[] = []
  /** When each idle one became idle. */
  let idleSince: number[] = []
  let initializing = 0
  let running = 0

  function scaleDown(): void {
    idleSince = idleSince.filter((since) => now() - since < idleMs)
  }

  function hand(): void {
    const next = waiting.shift()
    if (next === undefined) idleSince.push(now())
    else {
      running++
      next()
    }
  }

  function start(): void {
    if (initializing + running >= most || initializing >= waiting.length) return
    initializing++
    pause(coldMs, closing).then(
      () => {
        initializing--
        hand()
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
      hand()
    },
    counts() {
      scaleDown()
      const idle = idleSince.length
      return { idle, initializing, ready: idle + running, running, throttled: 0 }
    },
  }
}
