import type { RawDelta } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { AttemptNotes } from '../../core/model/ports.ts'
import type { Kind } from '../../core/model/terms.ts'
import type { Asked } from '../http-error/http-error.ts'
import { type ReadError, reportedFailure } from '../http-error/openai-error.ts'
import { readReply } from '../openai/answer.ts'
import { Events, replyBytes } from '../openai/stream.ts'
import { isEventStream, parseAnswer, type WireAnswer } from '../wire/wire-answer.ts'

/** The context of the request, and the kind of call it is read for. */
export type Reading = {
  readonly asked: Asked
  readonly kind: Kind
  readonly notes: AttemptNotes
}

/**
 * Reads the output of a model's `predict`: OpenAI's events or JSON, JSON with a text, or bare text. Bare text has no
 * finish reason and no usage: it is whole if HTTP says that its body is.
 */
export async function* readOutput(
  answer: WireAnswer,
  reading: Reading,
): AsyncGenerator<readonly RawDelta[], void, void> {
  const { asked, notes } = reading
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

/** Truss calls everything that a generator yields an octet stream. */
const textTypes = /^(?:text\/plain|application\/octet-stream)\b/i

async function* readText(
  answer: WireAnswer,
  reading: Reading,
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
  if (isEmpty) throw unreadable('The upstream gave an empty answer.', reading)
  // Without either, a truncated body ends just like a whole one.
  if (answer.header('content-length') === undefined && answer.header('transfer-encoding') === undefined) {
    const message = 'The upstream ended its answer without a sign that it is complete.'
    throw new Failure('interrupted', message, { provider: reading.asked.provider })
  }
  yield [piece('', 'stop', reading.kind)]
}

function piece(text: string, reason: 'stop' | null, kind: Kind): RawDelta {
  const said = kind === 'text' ? { text } : { delta: text === '' ? {} : { content: text } }
  const choice = { index: 0, ...said, logprobs: null, finish_reason: reason }
  return JsonText.of({ choices: [choice] })
}

function readJson(source: string, readError: ReadError, reading: Reading): RawDelta {
  const body = parseAnswer(source)
  const text = isOpenAi(body) ? undefined : textIn(body)
  if (text !== undefined) {
    reading.notes.converted.push(`predict output to ${reading.kind}`)
    return wholeReply(text, reading.kind)
  }
  if (body !== undefined && !isObject(body)) {
    throw unreadable('The upstream gave an output without text.', reading)
  }
  return ofKind(readReply(source, reading.asked.provider, readError), reading)
}

/** A reply in OpenAI's shape, or an error report. */
function isOpenAi(body: unknown): boolean {
  return isObject(body) && (Array.isArray(body['choices']) || Boolean(body['error']))
}

/** A text, pieces of one, or an object with it under a usual name; nested as deeply as models do it. */
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
  const said = kind === 'text' ? { text } : { message: { role: 'assistant', content: text } }
  const choice = { index: 0, ...said, logprobs: null, finish_reason: 'stop' }
  const object = kind === 'text' ? 'text_completion' : 'chat.completion'
  return JsonText.of({ object, choices: [choice] })
}

/** A model with one kind of answer gives it to both kinds of call. */
function ofKind(reply: RawDelta, { kind, notes }: Reading): RawDelta {
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

function unreadable(message: string, { asked }: Reading): Failure {
  return new Failure('invalid_response', message, { provider: asked.provider })
}
