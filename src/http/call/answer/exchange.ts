import type { Context } from 'koa'
import type { OpenRecord } from '../../../core/account/open-record.ts'
import type { Recorder } from '../../../core/account/recorder.ts'
import type { Authenticator } from '../../../core/authenticate.ts'
import type { Gateway } from '../../../core/gateway.ts'
import type { AnyCall } from '../../../core/model/call.ts'
import type { TraceStart } from '../../../core/model/trace.ts'
import type { Idempotency } from '../../../core/reuse/idempotency.ts'
import type { WireFormat } from '../../../dialects/shared/dialect.ts'
import type { BodyLimits, BodyReader } from '../body.ts'
import type { Connections } from '../connections.ts'
import type { KeyBrake } from '../key-brake.ts'
import type { OpenCalls, OwnedSignal } from '../open-calls.ts'
import type { Shedding } from '../shedding.ts'
import { EventStream, type StreamLimits } from './event-stream.ts'
import type { Output } from './output.ts'
import { answerHeaders } from './response-headers.ts'
import { sendText } from './send.ts'
import { watchRest } from './write-stall.ts'

export type ServeParts = {
  readonly gateway: Gateway
  readonly gate: Authenticator
  readonly recorder: Recorder
  readonly openCalls: OpenCalls
  /** Undefined: Idempotency-Key is ignored. */
  readonly idempotency: Idempotency | undefined
  readonly readBody: BodyReader
  readonly limits: StreamLimits & Pick<BodyLimits, 'bodyBytes'>
  readonly shedding: Shedding
  readonly connections: Pick<Connections, 'admitted'>
  readonly brake: KeyBrake
  readonly slowThresholdMs: number
  readonly strict: boolean
  /** Undefined: calls are not traced. */
  readonly startTrace: TraceStart | undefined
  /** True while new calls are refused because the gateway is shutting down. */
  readonly isDraining: () => boolean
}

/** One request and its response. It is the output that writes an answer to the caller. */
export class Exchange<Spoken extends WireFormat<AnyCall> = WireFormat<AnyCall>> implements Output {
  readonly parts: ServeParts
  readonly ctx: Context
  readonly dialect: Spoken
  readonly record: OpenRecord
  readonly signal: OwnedSignal

  constructor(parts: ServeParts, ctx: Context, dialect: Spoken, id: string) {
    this.parts = parts
    this.ctx = ctx
    this.dialect = dialect
    this.record = parts.recorder.open(id, dialect.name)
    if (parts.startTrace !== undefined) this.record.tracedAs(parts.startTrace(ctx.req.headers, ctx.path))
    this.signal = parts.openCalls.open(ctx.res)
  }

  send(text: string): void | Promise<void> {
    const { ctx, record } = this
    record.sends(200, Buffer.byteLength(text))
    const headers = answerHeaders(record)
    return record.closeThen(() => {
      sendText(ctx.req, ctx.res, 200, text, headers)
      watchRest(ctx.res, this.parts.limits.writeStallMs)
    })
  }

  open(idle: () => string | undefined): EventStream {
    const { ctx, record, signal, parts } = this
    return new EventStream({ response: ctx.res, record, signal, limits: parts.limits, idle })
  }
}
