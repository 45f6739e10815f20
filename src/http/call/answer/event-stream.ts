import type { ServerResponse } from 'node:http'
import type { OpenRecord } from '../../../core/account/recorder.ts'
import type { CallSignal } from '../../../core/model/call-signal.ts'
import { usdText } from '../../../core/model/price.ts'
import type { CallRecord } from '../../../core/model/record/record.ts'
import type { StreamOutput, StreamSource } from './output.ts'
import { answerHeaders, noteOverhead, replayHeaders } from './response-headers.ts'
import type { FlatHeaders } from './send.ts'
import { watchRest, whenDrained } from './write-stall.ts'

export type StreamLimits = {
  /** After so much silence the caller gets a comment, and again; 0: never. */
  readonly keepaliveMs: number
  /** After so much, in which there were comments alone, an event that says nothing, and again; 0: never. */
  readonly heartbeatMs: number
  /** How long a caller may take nothing of what was written. */
  readonly writeStallMs: number
}

export type EventStreamParts = {
  readonly response: ServerResponse
  readonly record: OpenRecord
  /** Aborts when the caller leaves. */
  readonly signal: CallSignal
  readonly limits: StreamLimits
  /** The event that says nothing; '' or undefined where there is none. */
  readonly idle: () => string | undefined
}

/**
 * The server-sent events of one call, on their way to its caller. While there is nothing to tell, comments keep the
 * connection alive, and now and then an event that says nothing the caller's patience; before the answer has begun
 * too: status and headers are out then, but nothing of an answer.
 */
export class EventStream implements StreamOutput {
  readonly #response: ServerResponse
  readonly #record: OpenRecord
  readonly #signal: CallSignal
  readonly #limits: StreamLimits
  readonly #idle: () => string | undefined
  #isChunked = false
  #silence: NodeJS.Timeout | undefined
  /** How long is waited for the end of the silence; and how long there had been no event before that. */
  #waitMs = 0
  #quietMs = 0
  /** When there was an event last, since the call began. */
  #toldAtMs = 0

  constructor({ response, record, signal, limits, idle }: EventStreamParts) {
    this.#response = response
    this.#record = record
    this.#signal = signal
    this.#limits = limits
    this.#idle = idle
    this.#toldAtMs = record.elapsedMs()
    this.#listen()
  }

  /** The status and the headers are out: what goes wrong from now on is told in the stream. */
  get hasBegun(): boolean {
    return this.#response.headersSent
  }

  /** The answer begins. */
  begin(): void {
    if (this.hasBegun) noteOverhead(this.#record)
    else this.#writeHead(answerHeaders(this.#record))
  }

  /** False: `drained` is to be awaited before there is more. */
  write(frames: string): boolean {
    if (this.#response.destroyed) return false
    this.#toldAtMs = this.#record.elapsedMs()
    if (this.#quietMs > 0) {
      this.#quietMs = 0
      this.#listen()
    }
    return this.#send(frames)
  }

  /** Resolves when more may be written. Rejects when the caller leaves, or reads no more and is hung up on. */
  drained(): Promise<void> {
    return whenDrained(this.#response, this.#signal, this.#limits.writeStallMs, () => {
      this.#record.row.flags.add('write_stalled')
    })
  }

  /** Closes the record and writes the end. Does nothing when the caller has left. */
  end(frames: string): void | Promise<void> {
    if (this.#response.destroyed) return
    const bytes = Buffer.byteLength(frames)
    this.#record.row.responseBytes += bytes
    return this.#record.closeThen(() => {
      if (this.#response.destroyed) return
      this.#write(frames, bytes)
      if (hasTrailers(this.#response)) this.#response.addTrailers(trailersOf(this.#record.row))
      this.#response.end()
      watchRest(this.#response, this.#limits.writeStallMs)
    })
  }

  fail(thrown: unknown, source: Pick<StreamSource<unknown, unknown>, 'fail'>): void | Promise<void> {
    return this.end(source.fail(this.#record.fail(thrown)))
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#silence)
    this.#silence = undefined
  }

  #send(frames: string): boolean {
    const bytes = Buffer.byteLength(frames)
    this.#record.row.responseBytes += bytes
    return this.#write(frames, bytes)
  }

  /** A short one as one text with the marks of its chunk (RFC 9112 7.1), each of which Node writes by itself. */
  #write(frames: string, bytes: number): boolean {
    // A chunk of no bytes is the end of all.
    if (frames === '') return !this.#response.writableNeedDrain
    if (!this.#isChunked || bytes > shortBytes) return this.#response.write(frames)
    this.#response.chunkedEncoding = false
    const isTaken = this.#response.write(`${bytes.toString(16)}\r\n${frames}\r\n`)
    this.#response.chunkedEncoding = true
    return isTaken
  }

  #writeHead(headers: FlatHeaders): void {
    this.#record.row.status = 200
    this.#response.writeHead(200, [
      ...headers,
      ...eventStream,
      ...(hasTrailers(this.#response) ? trailer : []),
    ])
    this.#isChunked = this.#response.chunkedEncoding
  }

  /** Waits for the next silence there is something to do about. */
  #listen(): void {
    clearTimeout(this.#silence)
    const { keepaliveMs, heartbeatMs } = this.#limits
    this.#waitMs = Math.min(keepaliveMs || never, (heartbeatMs || never) - this.#quietMs)
    this.#silence = this.#waitMs === never ? undefined : setTimeout(() => this.#look(), this.#waitMs)
  }

  /** Checked when it expires, not reset for every event. */
  #look(): void {
    const leftMs = this.#toldAtMs + this.#waitMs - this.#record.elapsedMs()
    if (this.#quietMs === 0 && leftMs > 0) this.#silence = setTimeout(() => this.#look(), leftMs)
    else this.#fill()
  }

  #fill(): void {
    if (this.#response.destroyed) return
    const { keepaliveMs, heartbeatMs } = this.#limits
    this.#quietMs += this.#waitMs
    const isDue = heartbeatMs > 0 && this.#quietMs >= heartbeatMs
    if (isDue) this.#quietMs = 0
    // Who is not reading needs neither.
    if (!this.#response.writableNeedDrain) {
      this.#break((isDue ? this.#idle() : '') || (keepaliveMs > 0 ? ': keepalive\n\n' : ''))
    }
    this.#listen()
  }

  /** Breaks the silence. Where the answer comes from, and at which attempt, may not be known yet. */
  #break(frames: string): void {
    if (frames === '') return
    if (!this.hasBegun) this.#writeHead(['x-request-id', this.#record.row.id, ...replayHeaders(this.#record)])
    this.#send(frames)
  }
}

/** A longer text is not worth copying. */
const shortBytes = 4096

const never = Number.POSITIVE_INFINITY

const eventStream: FlatHeaders = [
  'content-type',
  'text/event-stream; charset=utf-8',
  'cache-control',
  'no-store, no-transform',
  'x-accel-buffering',
  'no',
  'x-content-type-options',
  'nosniff',
]

const trailer: FlatHeaders = ['trailer', 'x-pandotate-attempts, x-pandotate-cost-usd']

/** In HTTP/1.0 there is nothing after a body. */
function hasTrailers({ req: { httpVersionMajor, httpVersionMinor } }: ServerResponse): boolean {
  return httpVersionMajor > 1 || httpVersionMinor > 0
}

/** What headers could not tell, for the answer had only begun: it may have gone on elsewhere since (RFC 9110 6.5). */
function trailersOf({ attempts, costNanoUsd }: CallRecord): Record<string, string> {
  const trailers: Record<string, string> = { 'x-pandotate-attempts': String(attempts.length) }
  if (costNanoUsd !== undefined) trailers['x-pandotate-cost-usd'] = usdText(costNanoUsd)
  return trailers
}
