import type { RawDelta } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { failedDelta } from '../../core/model/fold/failed-delta.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { ReadError } from '../http-error/openai-error.ts'
import { createSseDecoder, type SseDecoder } from '../wire/sse.ts'
import { parseAnswer } from '../wire/wire-answer.ts'
import { createChunkParser, TemplateDelta } from './chunk-parser.ts'

/**
 * A whole JSON reply in OpenAI's shape, with its text. Throws `invalid_response` for anything else, and the failure
 * that `readError` returns for a reported error. An error that `readError` does not know is returned as `{error}`.
 */
export function readReply(text: string, provider: string, readError: ReadError = withoutReading): RawDelta {
  const body = parseAnswer(text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text)
  if (!isObject(body)) throw unreadable('The upstream did not answer in JSON.', provider)
  const error = errorIn(body)
  if (error !== undefined) {
    const known = readError(error)
    if (known !== undefined) throw known
    return JsonText.of({ error })
  }
  const choices = body['choices']
  if (!Array.isArray(choices) || choices.length === 0) {
    throw unreadable('The upstream sent an answer without choices.', provider)
  }
  return withoutNullError(body, text)
}

/** Reads a stream of OpenAI's chunks. Synchronous: bytes in, deltas out. */
export interface ChunkReader {
  /** Returns the deltas in one piece of the stream. */
  read(bytes: Buffer): readonly RawDelta[]
  /** Returns the deltas that were still buffered when the stream closed. */
  end(): readonly RawDelta[]
  /** True after the terminator or an error: nothing more is read. */
  readonly done: boolean
  /** True after the terminator. */
  readonly isTerminated: boolean
  /** The failure of the stream. It follows the deltas that were returned before. */
  readonly failure: Failure | undefined
}

/** With `needsDone`, a stream without a terminator counts as truncated. */
export function createChunkReader(
  provider: string,
  readError: ReadError = withoutReading,
  needsDone = false,
): ChunkReader {
  return new EventReader(provider, readError, needsDone)
}

class EventReader implements ChunkReader {
  done = false
  isTerminated = false
  /** At least one choice has finished. */
  #hasEnded = false
  failure: Failure | undefined = undefined
  readonly #provider: string
  readonly #readError: ReadError
  readonly #needsDone: boolean
  readonly #decoder: SseDecoder
  readonly #parse = createChunkParser()

  constructor(provider: string, readError: ReadError, needsDone: boolean) {
    this.#provider = provider
    this.#readError = readError
    this.#needsDone = needsDone
    this.#decoder = createSseDecoder({ eventBytes, provider })
  }

  read(bytes: Buffer): readonly RawDelta[] {
    return this.#readEvents(this.#decoder.push(bytes), notJson)
  }

  end(): readonly RawDelta[] {
    // A truncated stream may end in half an event.
    const deltas = this.#readEvents(this.#decoder.end(), cut)
    if (this.#needsDone && !this.done) this.failure ??= cut(this.#provider)
    return deltas
  }

  #readEvents(events: readonly string[], broken: (provider: string) => Failure): readonly RawDelta[] {
    const deltas: RawDelta[] = []
    for (const data of events) {
      if (terminator.test(data)) {
        this.done = true
        this.isTerminated = true
      } else if (!isEmptyEvent.test(data)) this.done = this.#readChunk(data, deltas, broken)
      if (this.done) return deltas
    }
    const { error } = this.#decoder
    if (error === undefined) return deltas
    this.done = true
    this.#report(errorOfEvent(parseAnswer(error) ?? error), deltas)
    return deltas
  }

  /** Returns true if nothing after this chunk is to be read. */
  #readChunk(data: string, deltas: RawDelta[], broken: (provider: string) => Failure): boolean {
    const read = this.#parse(data)
    if (read === undefined) {
      const failure = broken(this.#provider)
      // The normalizer knows the number of choices, and ignores a failure after all of them have finished.
      if (this.#hasEnded) deltas.push(failedDelta(failure))
      else this.failure = failure
      return !this.#hasEnded
    }
    if (read instanceof TemplateDelta) {
      deltas.push(read)
      return false
    }
    this.#hasEnded ||= endsAChoice(read)
    const error = errorIn(read)
    if (error === undefined) deltas.push(withoutNullError(read, data))
    else this.#report(error, deltas)
    return error !== undefined
  }

  #report(error: JsonObject, deltas: RawDelta[]): void {
    const failure = this.#readError(error)
    // The normalizer ignores the upstream's own failure after all choices have finished.
    if (failure === undefined) deltas.push(JsonText.of({ error }))
    else if (failure.kind === 'upstream_error') deltas.push(failedDelta(failure))
    else this.failure = failure
  }
}

/** `[DONE]`, in upper or lower case. */
const terminator = /^\s*\[done\]/i

/** Some servers send empty events to keep a connection open. */
const isEmptyEvent = /^\s*(?:null\s*)?$/

function endsAChoice({ choices }: JsonObject): boolean {
  return (
    Array.isArray(choices) && choices.some((choice) => isObject(choice) && Boolean(choice['finish_reason']))
  )
}

function notJson(provider: string): Failure {
  return unreadable('The upstream sent an event that is not JSON.', provider)
}

const withoutReading: ReadError = () => undefined

/** The maximum length of an event. */
const eventBytes = 1024 * 1024

const byteOrderMark = 0xfeff

/** Removes `"error": null`, which some clients treat as an error. */
function withoutNullError(chunk: JsonObject, text: string): RawDelta {
  if (!('error' in chunk)) return JsonText.read(chunk, text)
  const { error: _none, ...rest } = chunk
  return JsonText.of(rest)
}

/**
 * The error in a chunk or reply, as an object: under `error`, in a choice (Together), or the whole body (SGLang,
 * Baseten).
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

/** The error in the data of an event named `error`. */
function errorOfEvent(value: unknown): JsonObject {
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
