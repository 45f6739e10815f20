import type { Call, Choice, Delta } from '../../core/model/call.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import { callOf, refuseIdleStreamOptions, requireModel } from '../shared/call.ts'
import { type Dialect, everyPrefix, type Incoming, type StreamEncoder } from '../shared/dialect.ts'
import { anInteger, anyInteger, anything, aString } from '../shared/schemas.ts'
import { type Fields, fieldsOf, refuseUnknown, validate } from '../shared/validate.ts'
import { missing } from '../shared/validation-error.ts'
import { openAiError } from './error.ts'
import { renderReply } from './reply.ts'
import { createOpenAiStream } from './stream.ts'
import { strictTextFields, textFields } from './text-fields.ts'

/**
 * Mistral's fill-in-the-middle for editors: `prompt` is the text before the cursor, `suffix` the text after it. The
 * call is a text completion; the answer has the shape of a chat's.
 */
export const fim: Dialect = {
  name: 'fim',
  path: '/fim/completions',
  prefixes: everyPrefix,
  get requestShape() {
    return { fields, required: ['prompt'] }
  },
  parse,
  render({ chunk, usage }) {
    const choices = chunk.value.choices.map(({ text = '', ...rest }) => ({
      ...rest,
      message: { role: 'assistant', content: text },
    }))
    return renderReply({ chunk: JsonText.of({ ...chunk.value, object: 'chat.completion', choices }), usage })
  },
  encoder: createStream,
  fail: openAiError,
}

/** Mistral's fields, and a prompt that is one string. */
const shapes = { prompt: aString, random_seed: anyInteger, min_tokens: anInteger.min(0), metadata: anything }

const fields: Fields = new Map([...textFields, ...fieldsOf(shapes)])

const strictFields: Fields = new Map([...strictTextFields, ...fieldsOf(shapes)])

function parse(request: Incoming): Call {
  const { body, strict } = request
  const sent = body.value
  requireModel(sent)
  if ((sent['prompt'] ?? null) === null) throw missing('prompt')
  validate(sent, strict ? strictFields : fields)
  if (strict) {
    refuseUnknown(sent, strictFields)
    refuseIdleStreamOptions(sent)
  }
  const { random_seed: seed } = sent
  if ((seed ?? null) === null) return callOf(request, fim.name, 'text')
  const renamed = body.with({ random_seed: undefined, seed: sent['seed'] ?? seed })
  return { ...callOf({ ...request, body: renamed }, fim.name, 'text'), converted: ['random_seed'] }
}

function createStream(call: Call): StreamEncoder {
  const stream = createOpenAiStream({ ...call, kind: 'chat' })
  const begun = new Set<number>()
  const chatChoice = ({ text = '', ...rest }: Choice): Choice => {
    const role = begun.has(rest.index) ? {} : { role: 'assistant' }
    begun.add(rest.index)
    return { ...rest, delta: { ...role, content: text } }
  }
  const chatDelta = ({ value: chunk }: Delta): Delta => {
    const choices = chunk.choices.map(chatChoice)
    return JsonText.of({ ...chunk, object: 'chat.completion.chunk', choices })
  }
  return { ...stream, encode: (deltas) => stream.encode(deltas.map(chatDelta)) }
}
