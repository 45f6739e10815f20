import type { Clocks } from '../model/call.ts'
import type { Clock } from '../model/ports.ts'

/** The idle clock runs only while the gateway waits for the upstream, never while the caller is slow to read. */
export interface IdleWatch extends Disposable {
  waiting(): void
  arrived(): void
  /** The last token has arrived: the rest is awaited only briefly. */
  closing(): void
}

/** Starts both clocks of a stream; `expire` is called when one runs out. */
export function watchClocks({ idleMs }: Clocks, leftMs: number, clock: Clock, expire: () => void): IdleWatch {
  let isWaiting = false
  let waitingSince = clock.now()
  let tail: NodeJS.Timeout | undefined
  // Checked when it expires, rather than reset for every token.
  const look = () => {
    const leftMs = isWaiting ? waitingSince + idleMs - clock.now() : idleMs
    if (leftMs > 0) idle = setTimeout(look, leftMs)
    else expire()
  }
  let idle = setTimeout(look, idleMs)
  const total = setTimeout(expire, Math.max(leftMs, 1))
  return {
    waiting() {
      isWaiting = true
      waitingSince = clock.now()
    },
    arrived() {
      isWaiting = false
    },
    closing() {
      tail ??= setTimeout(expire, Math.min(idleMs, tailMs))
    },
    [Symbol.dispose]() {
      clearTimeout(tail)
      clearTimeout(idle)
      clearTimeout(total)
    },
  }
}

/** Usage and terminator follow the last token immediately, or never. */
const tailMs = 3000
