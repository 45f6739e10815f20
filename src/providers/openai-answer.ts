import { Failure } from '../core/failure.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import type { RawDelta } from '../core/model.ts'
import { parseAnswer } from './answer-json.ts'
import { createChunkParser } from './chunk-parser.ts'
import type { ReadError } from './openai-error.ts'
import { createSseDecoder } from './sse.ts'

/**
 * A whole JSON reply in OpenAI's shape, its text as `source`. Throws `invalid_response` for what is no reply, and
 * what a reported error is read as. One of which nothing more is known is a reply here: an object under `error`,
 * whatever shape it came in.
 */
export function readReply(text: string, provider: string, readError: ReadError = unread): RawDelta {
  const body = parseAnswer(text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text)
  if (!isObject(body)) throw unreadable('The upstream did not answer in JSON.', provider)
  const error = errorIn(body)
  if (error !== undefined) {
    const known = readError(error)
    if (known !== undefined) throw known
    return { chunk: { error }, source: undefined }
  }
  const choices = body['choices']
  if (!Array.isArray(choices) || choices.length === 0) {
    throw unreadable('The upstream gave an answer without choices.', provider)
  }
  return told(body, text)
}

/** Reads a stream of OpenAI's chunks. Synchronous: bytes in, deltas out. */
export interface ChunkReader {
  /** The deltas in one read. */
  read(bytes: Buffer): readonly RawDelta[]
  /** What was left when the stream closed. */
  end(): readonly RawDelta[]
  /** True once the upstream has said that it is done, or that it failed: nothing after it is read. */
  readonly done: boolean
  /** What is wrong with the stream, once all that came before has been given. */
  readonly failure: Failure | undefined
}

/** With `needsDone`, a stream that ends without its terminator was cut. */
export function createChunkReader(
  provider: string,
  readError: ReadError = unread,
  needsDone = false,
): ChunkReader {
  const decoder = createSseDecoder({ eventBytes, provider })
  const parse = createChunkParser()
  let done = false
  let failure: Failure | undefined

  function readEvents(events: readonly string[], deltas: RawDelta[], broken: () => Failure): void {
    for (const data of events) {
      if (data.startsWith('[DONE]')) done = true
      else if (data !== '') done = readChunk(data, deltas, broken)
      if (done) return
    }
    if (decoder.error === undefined) return
    done = true
    report(named(parseAnswer(decoder.error) ?? decoder.error), deltas)
  }

  function report(error: JsonObject, deltas: RawDelta[]): void {
    failure = readError(error)
    if (failure === undefined) deltas.push({ chunk: { error }, source: undefined })
  }

  function readChunk(data: string, deltas: RawDelta[], broken: () => Failure): boolean {
    const read = parse(data)
    if (read === undefined) {
      failure = broken()
      return true
    }
    if (read.isAlike) {
      deltas.push(read)
      return false
    }
    const { chunk } = read
    const error = errorIn(chunk)
    // Text on several lines would not be one line of a caller's stream.
    if (error === undefined) deltas.push(told(chunk, data.includes('\n') ? undefined : data))
    else report(error, deltas)
    return error !== undefined
  }

  return {
    get done() {
      return done
    },
    get failure() {
      return failure
    },
    read(bytes) {
      const deltas: RawDelta[] = []
      readEvents(decoder.push(bytes), deltas, () =>
        unreadable('The upstream sent an event that is not JSON.', provider),
      )
      return deltas
    },
    end() {
      const deltas: RawDelta[] = []
      // Half an event is what a stream ends with when it is cut.
      readEvents(decoder.end(), deltas, () => cut(provider))
      if (needsDone && !done) failure ??= cut(provider)
      return deltas
    },
  }
}

const unread: ReadError = () => undefined

/** The longest line of a stream. */
const eventBytes = 1024 * 1024

const byteOrderMark = 0xfeff

/** Some clients take a mere `"error": null` for an error. */
function told(chunk: JsonObject, source: string | undefined): RawDelta {
  if (!('error' in chunk)) return { chunk, source }
  const { error: _none, ...rest } = chunk
  return { chunk: rest, source: undefined }
}

/**
 * The error that a chunk or reply reports: under `error`, in a choice (Together), or as the whole of it (SGLang,
 * Baseten), each as an object.
 */
function errorIn(chunk: JsonObject): JsonObject | undefined {
  const { error, choices } = chunk
  if (error !== undefined && error !== null && error !== false && error !== '') return asError(error)
  if (!Array.isArray(choices)) {
    return chunk['object'] === 'error' || isFlatError(chunk) ? chunk : undefined
  }
  const first: unknown = choices[0]
  return isObject(first) && isObject(first['error']) ? first['error'] : undefined
}

function isFlatError({ message, code, type }: JsonObject): boolean {
  return typeof message === 'string' && (code !== undefined || type !== undefined)
}

/** What an event named `error` holds. */
function named(value: unknown): JsonObject {
  return isObject(value) && isObject(value['error']) ? value['error'] : asError(value)
}

function asError(value: unknown): JsonObject {
  return isObject(value) ? value : { message: typeof value === 'string' ? value : JSON.stringify(value) }
}

function cut(provider: string): Failure {
  return new Failure('interrupted', 'The upstream broke off before its answer was complete.', { provider })
}

function unreadable(message: string, provider: string): Failure {
  return new Failure('invalid_response', message, { provider })
}
