import type { ServerResponse } from 'node:http'
import { CallAbort, type CallSignal } from '../../core/model/call-signal.ts'
import { Failure } from '../../core/model/failure.ts'

/** The calls that are under way: so that all of them can be ended at once, and that it is known when none is left. */
export interface OpenCalls {
  /** Counts a call in, until its response is closed. Its signal aborts, with a Failure, when the call must end. */
  open(response: ServerResponse): OwnedSignal
  /** Has every connection closed after the answer that is due on it. */
  hangUp(): void
  /** Ends every call with this Failure, and those that come later too. */
  end(failure: Failure): void
  /** Ends those that are under way of one owner. */
  endOf(owner: string, failure: Failure): void
  /** Resolves once there is none. Calls that open later are not waited for. */
  ended(): Promise<void>
}

/** The signal of one call, and whose call it is, once that is known: a key's id. */
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
      // Node then says `connection: close` by itself, where the headers are not out yet.
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

/** What a call is refused or ended with. By the time to come back, another gateway may have taken this one's place. */
export function shuttingDown(): Failure {
  return new Failure('draining', 'The gateway is shutting down.', { retryAfterMs: 1000 })
}

/** What calls of a key end with that was taken back, where that was asked for. */
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
 * A list through the calls themselves. A Set rebuilds its table every so many calls; an old table, once the garbage
 * collector took it for lasting, keeps every call that was in it, and all that belongs to them, until the next full
 * collection: that cost a sixth of the gateway's speed.
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
      // One that is gone leads to none of the others.
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
