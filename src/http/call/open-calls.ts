import type { ServerResponse } from 'node:http'
import { CallAbort, type CallSignal } from '../../core/model/call-signal.ts'
import { Failure } from '../../core/model/failure.ts'

/** The calls in flight: to end all of them at once, and to know when none is left. */
export interface OpenCalls {
  /** Adds a call until its response is closed. Its signal aborts, with a Failure, when the call must end. */
  open(response: ServerResponse): OwnedSignal
  /** Closes every connection after its current answer. */
  hangUp(): void
  /** Ends every call with this Failure, also those that come later. */
  end(failure: Failure): void
  /** Ends one owner's calls in flight. */
  endOf(owner: string, failure: Failure): void
  /** Resolves when there is none. Calls that come later are not waited for. */
  ended(): Promise<void>
}

/** The signal of one call, and its owner once that is known: a key's id. */
export type OwnedSignal = CallSignal & { owner?: string | undefined }

export function createOpenCalls(): OpenCalls {
  const open = createRing()
  let ending: Failure | undefined
  let tellEnded: (() => void) | undefined
  const close = (call: OpenCall) => {
    open.remove(call)
    if (open.isEmpty()) tellEnded?.()
  }
  return {
    open(response) {
      const call = new OpenCall(response)
      // `request` closes as soon as its body is read: only `response` tells.
      if (response.destroyed) {
        leave(call)
        return call
      }
      open.add(call)
      response.once('close', () => {
        close(call)
        if (!response.writableFinished) leave(call)
      })
      if (ending !== undefined) call.abort(ending)
      return call
    },
    hangUp() {
      // Node adds `connection: close` itself if the headers were not sent yet.
      for (const { response } of open.calls()) response.shouldKeepAlive = false
    },
    end(failure) {
      ending = failure
      for (const call of open.calls()) call.abort(failure)
    },
    endOf(owner, failure) {
      for (const call of open.calls()) if (call.owner === owner) call.abort(failure)
    },
    ended() {
      if (open.isEmpty()) return Promise.resolve()
      const { promise, resolve } = Promise.withResolvers<void>()
      tellEnded = resolve
      return promise
    },
  }
}

/** The failure of calls that are refused or ended. By the time to retry, another gateway may have taken over. */
export function shuttingDown(): Failure {
  return new Failure('draining', 'The gateway is shutting down.', { retryAfterMs: 1000 })
}

/** The failure of calls whose key was revoked with `abort`. */
export function revoked(): Failure {
  return new Failure('revoked', 'This API key was revoked while the call was under way: the call was ended.')
}

/** A call, which is its own signal. */
class OpenCall extends CallAbort {
  readonly response: ServerResponse
  owner: string | undefined
  before: OpenCall | undefined
  after: OpenCall | undefined

  constructor(response: ServerResponse) {
    super()
    this.response = response
  }
}

type Ring = {
  add(call: OpenCall): void
  remove(call: OpenCall): void
  isEmpty(): boolean
  /** A copy: ending one may remove others. */
  calls(): readonly OpenCall[]
}

/**
 * A linked list through the calls. A Set rebuilds its table every so many calls, and an old table that the garbage
 * collector has promoted keeps every call that was in it alive until the next full collection: that cost a sixth of the
 * gateway's speed.
 */
function createRing(): Ring {
  let first: OpenCall | undefined
  return {
    add(call) {
      call.after = first
      if (first !== undefined) first.before = call
      first = call
    },
    remove(call) {
      const { before, after } = call
      if (before !== undefined) before.after = after
      else if (first === call) first = after
      if (after !== undefined) after.before = before
      // A removed one must not keep others alive.
      call.before = undefined
      call.after = undefined
    },
    isEmpty: () => first === undefined,
    calls() {
      const all: OpenCall[] = []
      for (let call = first; call !== undefined; call = call.after) all.push(call)
      return all
    },
  }
}

function leave(call: OpenCall): void {
  call.abort(new Failure('caller_left', 'The caller closed the connection.'))
}
