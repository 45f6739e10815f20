import { getHeapStatistics } from 'node:v8'
import type { Clock } from '../../core/model/ports.ts'

/** How hard the process is pressed: looked at by a timer until it is disposed, never for a request. */
export interface Pressure extends Disposable {
  /** How late the event loop got to what was due, on average over the last second, and ten looks at least. */
  readonly loopDelayMs: number
  /** The part of the heap's limit that is in use. */
  readonly heapShare: number
}

/**
 * A timer of our own instead of Node's `monitorEventLoopDelay`: that one loses the delay it is read in, and so every
 * delay of a loop that is late each time.
 */
export function watchPressure(clock: Clock, heapShare: () => number = usedHeapShare): Pressure {
  // One long turn, such as the first ones are, is no pressure: hence so many looks, begun in time.
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
