import type { ServerResponse } from 'node:http'
import { CallAbort, type CallSignal } from '../../core/model/call-signal.ts'
import { Failure } from '../../core/model/failure.ts'

/** The calls in flight. Allows to end all of them, and to wait until none is left. */
export interface OpenCalls {
  /** Adds a call until its response is closed. Its signal aborts, with a Failure, when the call must end. */
  open(response: ServerResponse): OwnedSignal
  /** Makes every connection close after its current answer. */
  hangUp(): void
  /** Ends every call with this Failure, including later ones. */
  end(failure: Failure): void
  /** Ends the calls of one owner that are in flight. */
  endOf(owner: string, failure: Failure): void
  /** Resolves when no call is in flight. Later calls are not awaited. */
  ended(): Promise<void>
}

/** The signal of one call, with its owner (the id of a key) when that is known. */
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
      // Only `response` shows that the caller has disconnected; `request` closes when its body was read.
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

/**
 * The failure of calls that are refused or ended by a shutdown. At the time of the retry, another gateway may have
 * taken over.
 */
export function shuttingDown(): Failure {
  return new Failure('draining', 'The gateway is shutting down.', { retryAfterMs: 1000 })
}

/** The failure of calls whose key was revoked with `abort`. */
export function revoked(): Failure {
  return new Failure(
    'revoked',
    'This API key was revoked while the call was in flight, so the call was ended.',
  )
}

/** A call in flight. It is also its own signal, to save an object per call. */
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
  /** Returns a copy, because ending one call may remove others. */
  calls(): readonly OpenCall[]
}

/**
 * A linked list of the calls. It is not a Set, because a Set regularly rebuilds its table. An old table that the
 * garbage collector has promoted keeps its calls alive until the next full collection, which was measured to cost a
 * sixth of the throughput.
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
      // A removed call must not keep others alive.
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
