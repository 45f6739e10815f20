import { Failure } from '../../core/model/failure.ts'

/**
 * Decodes a stream of server-sent events by the HTML standard: lines end in LF, CR or CRLF, a byte-order mark and
 * comments are skipped, several `data` lines are one text. Of an event's other fields only the name `error` matters
 * here. Not a library's: eventsource-parser is as fast (2.8 µs an event with `JSON.parse`), but buffers an incomplete
 * event of any size; this one limits it.
 */
export interface SseDecoder {
  /** The data of each event that this piece completes. Throws `invalid_response` if an event is too long. */
  push(piece: Buffer): readonly string[]
  /** The data of the last event, if the stream ended without the final blank line. */
  end(): readonly string[]
  /** The data of an event named `error`. It ends the stream: nothing after it is decoded. */
  readonly error: string | undefined
}

export type SseLimits = {
  /** The maximum length of a line, and of an event's data. */
  readonly eventBytes: number
  /** The upstream's name, for its failures. */
  readonly provider: string
}

export function createSseDecoder(limits: SseLimits): SseDecoder {
  return new LineDecoder(limits)
}

/** A class: V8 looks up properties by hash on objects that each have a getter of their own. */
class LineDecoder implements SseDecoder {
  error: string | undefined = undefined
  readonly #limits: SseLimits
  /** The pieces of an unfinished line. */
  #open: Buffer[] = []
  #openBytes = 0
  #hasBegun = false
  /** The last piece ended in CR: a LF right after it belongs to the same line end. */
  #isAfterReturn = false
  readonly #event: OpenEvent = { data: undefined, dataBytes: 0, isError: false }

  constructor(limits: SseLimits) {
    this.#limits = limits
  }

  push(piece: Buffer): readonly string[] {
    if (this.error !== undefined || piece.length === 0) return []
    const skipped = this.#isAfterReturn && piece[0] === lineFeed ? 1 : 0
    const end = endOfLines(piece)
    if (end === 0) {
      this.#isAfterReturn = false
      this.#keep(piece)
      return []
    }
    const whole = skipped === 0 && end === piece.length ? piece : piece.subarray(skipped, end)
    const lines = this.#openBytes === 0 ? whole : Buffer.concat([...this.#open, whole])
    this.#isAfterReturn = piece[end - 1] === carriageReturn && end === piece.length
    this.#forget()
    const text = lines.toString('utf8')
    const events = this.#read(
      text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text,
      lines.length <= this.#limits.eventBytes && this.#event.data === undefined,
    )
    if (this.error === undefined && end < piece.length) this.#keep(piece.subarray(end))
    return events
  }

  end(): readonly string[] {
    if (this.error !== undefined) return []
    const last = Buffer.concat(this.#open).toString('utf8')
    this.#forget()
    return this.#read(`${last}\n\n`, false)
  }

  #read(text: string, isShort: boolean): readonly string[] {
    const lines = this.#hasBegun || text.charCodeAt(0) !== byteOrderMark ? text : text.slice(1)
    this.#hasBegun = true
    const event = this.#event
    const events: string[] = []
    this.error = readLines(lines, event, events, isShort ? undefined : this.#limits)
    if (isShort && event.data !== undefined) event.dataBytes = Buffer.byteLength(event.data) + 1
    return events
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0) return
    this.#openBytes += rest.length
    if (this.#openBytes > this.#limits.eventBytes) throw tooLong(this.#limits)
    this.#open.push(rest)
  }

  #forget(): void {
    if (this.#openBytes === 0) return
    this.#open = []
    this.#openBytes = 0
  }
}

type OpenEvent = { data: string | undefined; dataBytes: number; isError: boolean }

const lineFeed = 0x0a
const carriageReturn = 0x0d
const space = 0x20
const byteOrderMark = 0xfeff

/** Just after the last line end in a piece; 0 if there is none. No byte within a UTF-8 sequence looks like one. */
function endOfLines(piece: Buffer): number {
  if (piece[piece.length - 1] === lineFeed) return piece.length
  return Math.max(piece.lastIndexOf(lineFeed), piece.lastIndexOf(carriageReturn)) + 1
}

/**
 * Reads whole lines into `events`; returns the data of an event named `error`, and stops there. Lengths are checked
 * only if limits are given: a shorter text cannot exceed them.
 */
function readLines(
  text: string,
  event: OpenEvent,
  events: string[],
  limits: SseLimits | undefined,
): string | undefined {
  let start = 0
  while (start < text.length) {
    const end = text.indexOf('\n', start)
    if (end === start) {
      const { data, isError } = event
      event.data = undefined
      event.dataBytes = 0
      event.isError = false
      if (data !== undefined && isError) return data
      if (data !== undefined) events.push(data)
    } else {
      const line = text.slice(start, end)
      if (limits !== undefined && Buffer.byteLength(line) > limits.eventBytes) throw tooLong(limits)
      readLine(line, event, limits)
    }
    start = end + 1
  }
  return undefined
}

function readLine(line: string, event: OpenEvent, limits: SseLimits | undefined): void {
  if (line.startsWith('data:')) addData(line.slice(line.charCodeAt(5) === space ? 6 : 5), event, limits)
  else if (line === 'data') addData('', event, limits)
  else if (line.startsWith('event:')) event.isError = /^event: ?error$/.test(line)
  else if (line === 'event') event.isError = false
}

function addData(data: string, event: OpenEvent, limits: SseLimits | undefined): void {
  event.data = event.data === undefined ? data : `${event.data}\n${data}`
  if (limits === undefined) return
  event.dataBytes += Buffer.byteLength(data) + 1
  if (event.dataBytes - 1 > limits.eventBytes) throw tooLong(limits)
}

function tooLong({ eventBytes, provider }: SseLimits): Failure {
  const message = `The upstream sent an event longer than ${eventBytes} bytes.`
  return new Failure('invalid_response', message, { provider })
}
