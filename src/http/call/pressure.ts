import { getHeapStatistics } from 'node:v8'
import type { Clock } from '../../core/model/ports.ts'

/** The load of the process. A timer samples it until it is disposed. */
export interface Pressure extends Disposable {
  /** The average delay of the event loop over the last second, and over at least ten samples. */
  readonly loopDelayMs: number
  /** The share of the heap limit that is in use. */
  readonly heapShare: number
}

/**
 * Node's `monitorEventLoopDelay` is not used, because it loses the delay during which it is read. It would show no
 * delay for a loop that is always late.
 */
export function watchPressure(clock: Clock, heapShare: () => number = usedHeapShare): Pressure {
  // The average starts with samples without delay, so that a single long turn, as at start-up, does not count as load.
  const looks = Array<Look>(leastLooks).fill({ at: Number.NEGATIVE_INFINITY, lateMs: 0 })
  const seen = { loopDelayMs: 0, heapShare: heapShare() }
  let dueAt = clock.now() + intervalMs
  const look = () => {
    const now = clock.now()
    looks.push({ at: now, lateMs: Math.max(0, now - dueAt) })
    while (looks.length > leastLooks && (looks[0]?.at ?? now) <= now - windowMs) looks.shift()
    seen.loopDelayMs = looks.reduce((sum, { lateMs }) => sum + lateMs, 0) / looks.length
    seen.heapShare = heapShare()
    dueAt = clock.now() + intervalMs
  }
  const timer = setInterval(look, intervalMs)
  timer.unref()
  return {
    get loopDelayMs() {
      return seen.loopDelayMs
    },
    get heapShare() {
      return seen.heapShare
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

type Look = { readonly at: number; readonly lateMs: number }

const intervalMs = 50
const windowMs = 1000
const leastLooks = 10

function usedHeapShare(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
  return used / limit
}
