import type { ServerResponse } from 'node:http'
import type { CallSignal } from '../../../core/model/call-signal.ts'

/**
 * Resolves when more may be written. A caller that reads nothing for `stallMs` is disconnected, after calling
 * `stalled`. Rejects with the signal's reason.
 */
export function whenDrained(
  response: ServerResponse,
  signal: CallSignal,
  stallMs: number,
  stalled: () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { socket } = response
    const settle = () => {
      response.off('drain', settle)
      response.off('timeout', hangUp)
      socket?.setTimeout(0)
      signal.removeEventListener('abort', settle)
      if (signal.aborted) reject(signal.reason)
      else resolve()
    }
    const hangUp = () => {
      stalled()
      response.destroy()
    }
    response.once('drain', settle)
    response.once('timeout', hangUp)
    // The socket's own timeout: partial writes to a slow reader reset it.
    socket?.setTimeout(stallMs)
    signal.addEventListener('abort', settle, { once: true })
    if (signal.aborted) settle()
  })
}

/** Sets the same time limit for an answer whose end was written but not read. */
export function watchRest({ socket }: ServerResponse, stallMs: number): void {
  // Node closes a socket on timeout if there is no listener, and resets the timer once all data is taken.
  if (socket !== null && socket.writableLength > 0) socket.setTimeout(stallMs)
}
