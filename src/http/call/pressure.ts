import { getHeapStatistics } from 'node:v8'
import type { Clock } from '../../core/model/ports.ts'

/** The load of the process, sampled by a timer until it is disposed, never by requests. */
export interface Pressure extends Disposable {
  /** The event loop's average delay over the last second, and over at least ten samples. */
  readonly loopDelayMs: number
  /** The share of the heap's limit that is in use. */
  readonly heapShare: number
}

/**
 * Not Node's `monitorEventLoopDelay`: it loses the delay during which it is read, and so every delay of a loop that is
 * always late.
 */
export function watchPressure(clock: Clock, heapShare: () => number = usedHeapShare): Pressure {
  // A single long turn, as at start-up, is not pressure: hence so many samples, started in time.
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
