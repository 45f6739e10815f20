import type { RawDelta } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { AttemptNotes } from '../../core/model/ports.ts'
import type { Kind } from '../../core/model/terms.ts'
import type { RequestContext } from '../http-error/http-error.ts'
import { type ReadError, reportedFailure } from '../http-error/openai-error.ts'
import { readReply } from '../openai/answer.ts'
import { Events, replyBytes } from '../openai/stream.ts'
import { isEventStream, parseAnswer, type WireAnswer } from '../wire/wire-answer.ts'

/** The context of the request, and the kind of call that the output answers. */
export type ReadContext = {
  readonly context: RequestContext
  readonly kind: Kind
  readonly notes: AttemptNotes
}

/**
 * Reads the output of a model's `predict`: OpenAI's events or JSON, JSON with a text, or plain text. Plain text has no
 * finish reason and no usage. It is complete if its HTTP body is.
 */
export async function* readOutput(
  answer: WireAnswer,
  reading: ReadContext,
): AsyncGenerator<readonly RawDelta[], void, void> {
  const { context: asked, notes } = reading
  const { provider } = asked
  const readError: ReadError = (error) => reportedFailure(error, asked)
  const type = answer.header('content-type')
  if (isEventStream(answer, false)) {
    yield* { [Symbol.asyncIterator]: () => new Events(async () => answer, provider, { readError, notes }) }
  } else if (type !== undefined && /^application\/(?:[\w.-]+\+)?json\b/i.test(type)) {
    const reply = readJson(await answer.text(replyBytes), readError, reading)
    notes.ending = 'value'
    yield [reply]
  } else if (type === undefined || textTypes.test(type)) {
    yield* readText(answer, reading)
  } else {
    answer.discard()
    throw unreadable('The upstream answered with neither JSON nor text.', reading)
  }
}

/** Truss labels the output of a generator as an octet stream. */
const textTypes = /^(?:text\/plain|application\/octet-stream)\b/i

async function* readText(
  answer: WireAnswer,
  reading: ReadContext,
): AsyncGenerator<readonly RawDelta[], void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decode = (bytes?: Buffer) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined })
    } catch {
      throw unreadable('The upstream answered with bytes that are not text.', reading)
    }
  }
  reading.notes.converted.push(`predict output to ${reading.kind}`)
  let isEmpty = true
  for await (const bytes of answer.chunks()) {
    const text = decode(bytes)
    if (text === '') continue
    isEmpty = false
    yield [piece(text, null, reading.kind)]
  }
  decode()
  if (isEmpty) throw unreadable('The upstream sent an empty answer.', reading)
  // Without either header, a truncated body cannot be told from a complete one.
  if (answer.header('content-length') === undefined && answer.header('transfer-encoding') === undefined) {
    const message = 'The upstream ended its answer without a sign that it is complete.'
    throw new Failure('interrupted', message, { provider: reading.context.provider })
  }
  yield [piece('', 'stop', reading.kind)]
}

function piece(text: string, reason: 'stop' | null, kind: Kind): RawDelta {
  const content = kind === 'text' ? { text } : { delta: text === '' ? {} : { content: text } }
  const choice = { index: 0, ...content, logprobs: null, finish_reason: reason }
  return JsonText.of({ choices: [choice] })
}

function readJson(source: string, readError: ReadError, reading: ReadContext): RawDelta {
  const body = parseAnswer(source)
  const text = isOpenAi(body) ? undefined : textIn(body)
  if (text !== undefined) {
    reading.notes.converted.push(`predict output to ${reading.kind}`)
    return wholeReply(text, reading.kind)
  }
  if (body !== undefined && !isObject(body)) {
    throw unreadable('The upstream sent an output without text.', reading)
  }
  return toKind(readReply(source, reading.context.provider, readError), reading)
}

/** A reply in OpenAI's shape, or an error report. */
function isOpenAi(body: unknown): boolean {
  return isObject(body) && (Array.isArray(body['choices']) || Boolean(body['error']))
}

/**
 * Finds the text: a string, a list of strings, or an object with the text under a usual name, nested up to three
 * levels.
 */
function textIn(value: unknown, depth = 0): string | undefined {
  if (typeof value === 'string') return value
  if (depth > 3) return undefined
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every((part) => typeof part === 'string')) return value.join('')
    return value.length === 1 ? textIn(value[0], depth + 1) : undefined
  }
  if (!isObject(value)) return undefined
  const name = outputNames.find((key) => value[key] !== undefined && value[key] !== null)
  return name === undefined ? undefined : textIn(value[name], depth + 1)
}

const outputNames = ['output', 'generated_text', 'text']

function wholeReply(text: string, kind: Kind): RawDelta {
  const content = kind === 'text' ? { text } : { message: { role: 'assistant', content: text } }
  const choice = { index: 0, ...content, logprobs: null, finish_reason: 'stop' }
  const object = kind === 'text' ? 'text_completion' : 'chat.completion'
  return JsonText.of({ object, choices: [choice] })
}

/** Converts the reply to the kind of the call: a model gives the same kind of answer to both. */
function toKind(reply: RawDelta, { kind, notes }: ReadContext): RawDelta {
  const { choices } = reply.value
  if (!Array.isArray(choices)) return reply
  const moved = choices.map((choice) =>
    isObject(choice) ? (kind === 'text' ? asText : asChat)(choice) : choice,
  )
  if (moved.every((choice, index) => choice === choices[index])) return reply
  notes.converted.push(`predict output to ${kind}`)
  return JsonText.of({ ...reply.value, choices: moved })
}

function asText(choice: JsonObject): JsonObject {
  const { message, ...rest } = choice
  if (typeof choice['text'] === 'string' || !isObject(message)) return choice
  if (typeof message['content'] !== 'string') return choice
  return { ...rest, text: message['content'] }
}

function asChat(choice: JsonObject): JsonObject {
  const { text, ...rest } = choice
  if (typeof text !== 'string' || isObject(choice['message'])) return choice
  return { ...rest, message: { role: 'assistant', content: text } }
}

function unreadable(message: string, { context: asked }: ReadContext): Failure {
  return new Failure('invalid_response', message, { provider: asked.provider })
}
