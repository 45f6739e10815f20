import type { Call, RawDelta } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, parseJson } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Kind } from '../../core/model/terms.ts'
import type { RequestContext } from '../http-error/http-error.ts'
import { type ReadError, reportedFailure } from '../http-error/openai-error.ts'
import { type ChunkReader, createChunkReader, readReply } from '../openai/answer.ts'
import { workerFailure, workerFailureIn } from './error.ts'
import type { JobRequest } from './input.ts'

/**
 * Reads a worker's output: OpenAI's JSON, pieces of the text of OpenAI's event stream, the batches of older workers, or
 * plain text. Throws Failure for a reported error and for unreadable output.
 */
export interface OutputReader {
  /** Returns the deltas in one piece of output, or in the whole output of a finished job. */
  read(output: unknown): readonly RawDelta[]
  /** Returns the remaining deltas when the job has completed. Completion ends an answer without a finish reason. */
  end(): readonly RawDelta[]
  /** True until any output was read. */
  readonly isEmpty: boolean
  /** The worker split a character between two pieces, which damaged it. */
  readonly isDamaged: boolean
}

export type OutputParts = {
  readonly call: Call
  readonly request: JobRequest
  readonly asked: RequestContext
}

export function createOutputReader(parts: OutputParts): OutputReader {
  const { asked } = parts
  const batches = createBatchReader(parts.call.kind, parts.request.isFull)
  const text = createTextReader(parts)
  let isEmpty = true

  function readOne(output: unknown): readonly RawDelta[] {
    if (Array.isArray(output)) return output.flatMap(readOne)
    if (output === undefined || output === null || output === '') return []
    isEmpty = false
    if (typeof output === 'string') return text.read(output)
    if (!isObject(output)) throw unreadable(asked)
    const error = errorIn(output)
    if (error !== undefined) throw workerFailure(error, asked)
    if (isBatch(output)) return batches.read(output)
    if (!Array.isArray(output['choices'])) throw unreadable(asked)
    return [JsonText.of(output)]
  }

  return {
    read: readOne,
    end() {
      if (isEmpty) throw unreadable(asked)
      return [...text.end(), ...batches.end()]
    },
    get isEmpty() {
      return isEmpty
    },
    get isDamaged() {
      return text.isDamaged
    },
  }
}

/** Reads output text piece by piece. Its beginning decides its format. */
interface TextReader {
  read(piece: string): readonly RawDelta[]
  end(): readonly RawDelta[]
  readonly isDamaged: boolean
}

function createTextReader({ call, request, asked }: OutputParts): TextReader {
  const { provider } = asked
  const words = createBatchReader(call.kind, request.isFull)
  const readError: ReadError = (error) => workerFailureIn(error, asked) ?? reportedFailure(error, asked)
  let form: 'unknown' | 'events' | 'reply' | 'words' = 'unknown'
  let held = ''
  let isDamaged = false
  let endedInDamage = false
  let events: ChunkReader | undefined

  function take(piece: string): readonly RawDelta[] {
    if (form === 'words') return spoken(piece)
    if (form === 'events') {
      events ??= createChunkReader(provider, readError)
      return readEvents(events, piece)
    }
    held += piece
    if (form === 'unknown') form = formOf(held)
    if (form === 'unknown' || form === 'reply') return []
    const all = held
    held = ''
    return take(all)
  }

  function spoken(piece: string): readonly RawDelta[] {
    if (!request.mayAnswerInText) throw unreadable(asked)
    return words.read({ choices: [{ tokens: [piece] }] })
  }

  /** An error in a stream is thrown after the deltas before it were returned. */
  function readEvents(reader: ChunkReader, piece: string): readonly RawDelta[] {
    const deltas = reader.done ? [] : reader.read(Buffer.from(piece))
    if (reader.failure !== undefined && deltas.length === 0) throw reader.failure
    return deltas
  }

  return {
    read(piece) {
      isDamaged ||= endedInDamage && piece.startsWith(replacement)
      endedInDamage = piece.endsWith(replacement)
      return take(piece)
    },
    end() {
      const isReply = form === 'reply' && !(request.mayAnswerInText && isAnyJson(held))
      if (isReply) return [readReply(held, provider, readError)]
      if (held !== '') return [...spoken(held), ...words.end()]
      const rest = events === undefined || events.done ? [] : events.end()
      if (events?.failure !== undefined) throw events.failure
      return [...rest, ...words.end()]
    },
    get isDamaged() {
      return isDamaged
    },
  }
}

/** The replacement character, which a worker writes for half a character. */
const replacement = '\ufffd'

/** The longest field name of an event stream, with its colon. */
const longestFieldName = 'event:'.length

function formOf(text: string): 'unknown' | 'events' | 'reply' | 'words' {
  const begun = text.trimStart()
  if (/^(?:data|event|id|retry)?:/.test(begun)) return 'events'
  if (begun.startsWith('{')) return 'reply'
  return begun.length < longestFieldName ? 'unknown' : 'words'
}

/** True for JSON that is neither OpenAI's reply nor its error: it is the model's own output. */
function isAnyJson(text: string): boolean {
  try {
    const value = parseJson(text)
    return !isObject(value) || (value['choices'] === undefined && value['error'] === undefined)
  } catch {
    return false
  }
}

function errorIn({ error, object, message, code, choices }: JsonObject): unknown {
  if (error !== undefined && error !== null && error !== '') return error
  const isFlat = object === 'error' || (typeof message === 'string' && code !== undefined)
  return isFlat && !Array.isArray(choices) ? { message, code } : undefined
}

function unreadable({ provider }: RequestContext): Failure {
  return new Failure('invalid_response', 'The upstream completed the job without an answer.', { provider })
}

/**
 * Reads the batches of the vLLM worker up to 2.23, `{"choices": [{"tokens": ["text"]}], "usage": {"input", "output"}}`,
 * and of the one before it, `{"text": ["text"], "input_tokens", "output_tokens"}`. Neither has a finish reason: the
 * job's completion ends the answer.
 */
interface BatchReader {
  read(batch: JsonObject): readonly RawDelta[]
  /** Returns the finish reasons of all choices. */
  end(): readonly RawDelta[]
}

function createBatchReader(kind: Kind, isFull: JobRequest['isFull']): BatchReader {
  const begun = new Set<number>()
  let outputTokens = 0
  const choiceOf = (index: number, text: string, reason: string | null): JsonObject => ({
    index,
    ...(kind === 'text' ? { text } : { delta: text === '' ? {} : { role: 'assistant', content: text } }),
    finish_reason: reason,
  })
  return {
    read(batch) {
      const texts = textsIn(batch)
      for (const index of texts.keys()) begun.add(index)
      const usage = usageIn(batch)
      outputTokens = usage?.completion_tokens ?? outputTokens
      const { choices: _choices, usage: _usage, text: _text, ...rest } = batch
      const { input_tokens: _input, output_tokens: _output, ...extra } = rest
      const choices = texts.map((text, index) => choiceOf(index, text, null))
      return [JsonText.of({ ...extra, choices, ...(usage && { usage }) })]
    },
    end() {
      if (begun.size === 0) return []
      const reason = isFull(outputTokens) ? 'length' : 'stop'
      const choices = Array.from(begun, (index) => choiceOf(index, '', reason))
      return [JsonText.of({ choices })]
    },
  }
}

function isBatch({ choices, text }: JsonObject): boolean {
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined
  return (isObject(first) && 'tokens' in first) || (choices === undefined && isText(text))
}

function textsIn({ choices, text }: JsonObject): readonly string[] {
  if (!Array.isArray(choices)) return Array.isArray(text) ? text.map(joined) : [joined(text)]
  return choices.map((choice: unknown) => (isObject(choice) ? joined(choice['tokens']) : ''))
}

function joined(pieces: unknown): string {
  const list: readonly unknown[] = Array.isArray(pieces) ? pieces : [pieces]
  return list.filter((piece) => typeof piece === 'string').join('')
}

function isText(text: unknown): boolean {
  return typeof text === 'string' || (Array.isArray(text) && text.every((one) => typeof one === 'string'))
}

/** The counts are cumulative over all batches. */
function usageIn({ usage, input_tokens, output_tokens }: JsonObject) {
  const { input, output } = isObject(usage) ? usage : { input: input_tokens, output: output_tokens }
  if (typeof input !== 'number' || typeof output !== 'number') return undefined
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
}
