import type { ServerResponse } from 'node:http'
import type { OpenRecord } from '../../../core/account/open-record.ts'
import type { CallSignal } from '../../../core/model/call-signal.ts'
import { usdText } from '../../../core/model/price.ts'
import type { CallRecord } from '../../../core/model/record/record.ts'
import type { StreamOutput, StreamSource } from './output.ts'
import { answerHeaders, replayHeaders } from './response-headers.ts'
import type { FlatHeaders } from './send.ts'
import { watchRest, whenDrained } from './write-stall.ts'

export type StreamLimits = {
  /** The interval of comments during silence; 0: none. */
  readonly keepaliveMs: number
  /** The interval of empty events while only comments are sent; 0: none. */
  readonly heartbeatMs: number
  /** The maximum time in which a caller reads nothing of the written data. */
  readonly writeStallMs: number
}

export type EventStreamParts = {
  readonly response: ServerResponse
  readonly record: OpenRecord
  /** Aborts when the caller disconnects. */
  readonly signal: CallSignal
  readonly limits: StreamLimits
  /** Returns an empty event; '' or undefined if the format has none. */
  readonly idle: () => string | undefined
}

/**
 * Writes the server-sent events of one call. During silence, comments keep the connection alive, and empty events
 * satisfy clients that ignore comments. This may happen before the answer begins: status and headers are then sent
 * early.
 */
export class EventStream implements StreamOutput {
  readonly #response: ServerResponse
  readonly #record: OpenRecord
  readonly #signal: CallSignal
  readonly #limits: StreamLimits
  readonly #idle: () => string | undefined
  #isChunked = false
  #silence: NodeJS.Timeout | undefined
  /** The length of the current wait, and the time without an event before it. */
  #waitMs = 0
  #quietMs = 0
  /** The time of the last event, since the start of the call. */
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

  /** True after status and headers were sent. Failures are then reported in the stream. */
  get hasBegun(): boolean {
    return this.#response.headersSent
  }

  /** Starts the answer. */
  begin(): void {
    if (this.hasBegun) this.#record.firstByte()
    else this.#writeHead(answerHeaders(this.#record))
  }

  /** False: await `drained` before writing more. */
  write(frames: string): boolean {
    if (this.#response.destroyed) return false
    this.#toldAtMs = this.#record.elapsedMs()
    if (this.#quietMs > 0) {
      this.#quietMs = 0
      this.#listen()
    }
    return this.#send(frames)
  }

  /**
   * Resolves when more may be written. Rejects when the caller disconnects, or is disconnected because it does not
   * read.
   */
  drained(): Promise<void> {
    return whenDrained(this.#response, this.#signal, this.#limits.writeStallMs, () => {
      this.#record.row.flags.add('write_stalled')
    })
  }

  /** Closes the record and writes the end. Does nothing if the caller has disconnected. */
  end(frames: string): void | Promise<void> {
    if (this.#response.destroyed) return
    const bytes = Buffer.byteLength(frames)
    this.#record.sendsMore(bytes)
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
    this.#record.sendsMore(bytes)
    return this.#write(frames, bytes)
  }

  /**
   * Writes a short text together with its chunk framing (RFC 9112 7.1) as one string. Node would write each part
   * separately.
   */
  #write(frames: string, bytes: number): boolean {
    // An empty chunk would end the response.
    if (frames === '') return !this.#response.writableNeedDrain
    if (!this.#isChunked || bytes > shortBytes) return this.#response.write(frames)
    this.#response.chunkedEncoding = false
    const isTaken = this.#response.write(`${bytes.toString(16)}\r\n${frames}\r\n`)
    this.#response.chunkedEncoding = true
    return isTaken
  }

  #writeHead(headers: FlatHeaders): void {
    this.#record.sends(200, 0)
    this.#response.writeHead(200, [
      ...headers,
      ...eventStream,
      ...(hasTrailers(this.#response) ? trailer : []),
    ])
    this.#isChunked = this.#response.chunkedEncoding
  }

  /** Starts the timer for the next comment or empty event. */
  #listen(): void {
    clearTimeout(this.#silence)
    const { keepaliveMs, heartbeatMs } = this.#limits
    this.#waitMs = Math.min(keepaliveMs || never, (heartbeatMs || never) - this.#quietMs)
    this.#silence = this.#waitMs === never ? undefined : setTimeout(() => this.#look(), this.#waitMs)
  }

  /** The timer is not reset for every event. When it expires, the time since the last event is checked. */
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
    // A caller that does not read needs neither.
    if (!this.#response.writableNeedDrain) {
      this.#break((isDue ? this.#idle() : '') || (keepaliveMs > 0 ? ': keepalive\n\n' : ''))
    }
    this.#listen()
  }

  /**
   * Sends a comment or an empty event. The deployment and the attempts may still be unknown, so their headers are not
   * sent.
   */
  #break(frames: string): void {
    if (frames === '') return
    if (!this.hasBegun) this.#writeHead(['x-request-id', this.#record.row.id, ...replayHeaders(this.#record)])
    this.#send(frames)
  }
}

/** Copying a longer text costs more than a second write. */
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

/** HTTP/1.0 has no trailers. */
function hasTrailers({ req: { httpVersionMajor, httpVersionMinor } }: ServerResponse): boolean {
  return httpVersionMajor > 1 || httpVersionMinor > 0
}

/**
 * Values that are known only at the end of a stream (RFC 9110 6.5): another deployment may have continued the answer.
 */
function trailersOf({ attempts, costNanoUsd }: CallRecord): Record<string, string> {
  const trailers: Record<string, string> = { 'x-pandotate-attempts': String(attempts.length) }
  if (costNanoUsd !== undefined) trailers['x-pandotate-cost-usd'] = usdText(costNanoUsd)
  return trailers
}
