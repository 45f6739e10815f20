import { Failure } from '../core/failure.ts'

/**
 * Takes a stream of server-sent events apart, as the HTML standard reads them: lines end in LF, CR or CRLF, a
 * byte-order mark and comments are skipped, several `data` lines are one text. Of an event's other fields only
 * the name `error` matters here.
 */
export interface SseDecoder {
  /** The data of each event that this piece completes. Throws `invalid_response` when an event is too long. */
  push(piece: Buffer): readonly string[]
  /** The data of the last event, when the stream ended without the blank line that should close it. */
  end(): readonly string[]
  /** The data of an event named `error`. It ends the stream: nothing after it is decoded. */
  readonly error: string | undefined
}

export type SseLimits = {
  /** The longest a line, and the data of an event, may be. */
  readonly eventBytes: number
  /** The upstream's name, told with its failures. */
  readonly provider: string
}

export function createSseDecoder(limits: SseLimits): SseDecoder {
  /** The start of a line that has not ended, in pieces. */
  let open: Buffer[] = []
  let openBytes = 0
  let begun = false
  /** The last piece ended in CR: a LF right after it belongs to the same line end. */
  let afterReturn = false
  const event: OpenEvent = { data: undefined, dataBytes: 0, isError: false }
  let error: string | undefined

  function read(text: string, isShort: boolean): readonly string[] {
    const lines = begun || text.charCodeAt(0) !== byteOrderMark ? text : text.slice(1)
    begun = true
    const events: string[] = []
    error = readLines(lines, event, events, isShort ? undefined : limits)
    if (isShort && event.data !== undefined) event.dataBytes = Buffer.byteLength(event.data) + 1
    return events
  }

  function keep(rest: Buffer): void {
    if (rest.length === 0) return
    openBytes += rest.length
    if (openBytes > limits.eventBytes) throw tooLong(limits)
    open.push(rest)
  }

  return {
    get error() {
      return error
    },
    push(piece) {
      if (error !== undefined || piece.length === 0) return []
      const skipped = afterReturn && piece[0] === lineFeed ? 1 : 0
      const end = endOfLines(piece)
      if (end === 0) {
        afterReturn = false
        keep(piece)
        return []
      }
      const whole = skipped === 0 && end === piece.length ? piece : piece.subarray(skipped, end)
      const lines = openBytes === 0 ? whole : Buffer.concat([...open, whole])
      open = []
      openBytes = 0
      afterReturn = piece[end - 1] === carriageReturn && end === piece.length
      const text = lines.toString('utf8')
      const events = read(
        text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text,
        lines.length <= limits.eventBytes && event.data === undefined,
      )
      if (error === undefined && end < piece.length) keep(piece.subarray(end))
      return events
    },
    end() {
      if (error !== undefined) return []
      const last = Buffer.concat(open).toString('utf8')
      open = []
      openBytes = 0
      return read(`${last}\n\n`, false)
    },
  }
}

type OpenEvent = { data: string | undefined; dataBytes: number; isError: boolean }

const lineFeed = 0x0a
const carriageReturn = 0x0d
const space = 0x20
const byteOrderMark = 0xfeff

/** Just after the last line end in a piece; 0 when there is none. No byte of a UTF-8 sequence looks like one. */
function endOfLines(piece: Buffer): number {
  if (piece[piece.length - 1] === lineFeed) return piece.length
  return Math.max(piece.lastIndexOf(lineFeed), piece.lastIndexOf(carriageReturn)) + 1
}

/**
 * Reads whole lines into `events`; gives the data of an event named `error`, at which it stops. Lengths are
 * checked only against given limits: in a text shorter than they are, nothing is longer.
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
