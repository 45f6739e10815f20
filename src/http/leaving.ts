import type { ServerResponse } from 'node:http'
import { Failure } from '../core/failure.ts'

/** A signal that aborts, with the Failure `caller_left`, when the connection closes before the answer is out. */
export function whenCallerLeaves(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  const leave = () => {
    if (!response.writableFinished) {
      controller.abort(new Failure('caller_left', 'The caller closed the connection.'))
    }
  }
  // `request` closes as soon as its body is read: only `response` tells.
  if (response.destroyed) leave()
  else response.once('close', leave)
  return controller.signal
}

/** Resolves when more may be written. Rejects with the signal's reason. */
export function whenDrained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      response.off('drain', settle)
      signal.removeEventListener('abort', settle)
      if (signal.aborted) reject(signal.reason)
      else resolve()
    }
    response.once('drain', settle)
    signal.addEventListener('abort', settle, { once: true })
    if (signal.aborted) settle()
  })
}
