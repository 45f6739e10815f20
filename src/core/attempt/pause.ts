import type { CallSignal } from '../model/call-signal.ts'

/** Waits `ms` milliseconds, Infinity included; rejects with the signal's reason as soon as it aborts. */
export function pause(ms: number, signal: CallSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    const leave = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const wake = () => {
      signal.removeEventListener('abort', leave)
      resolve()
    }
    const timer = ms === Number.POSITIVE_INFINITY ? undefined : setTimeout(wake, ms)
    signal.addEventListener('abort', leave, { once: true })
  })
}
