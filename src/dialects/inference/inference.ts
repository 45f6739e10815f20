import type { Call, Reply } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { refuseStreamedBest } from '../openai/best-of.ts'
import { chatCallOf } from '../openai/chat-call.ts'
import { chatFields } from '../openai/chat-fields.ts'
import { textFields } from '../openai/text-fields.ts'
import { callOf } from '../shared/call.ts'
import type { AnswerInfo, Dialect, Incoming, StreamEncoder } from '../shared/dialect.ts'
import { aDecimal, anything, aString } from '../shared/schemas.ts'
import { doneFrame, frame } from '../shared/sse-frame.ts'
import { type Fields, validate } from '../shared/validate.ts'
import { inferenceAnswer, noteExtraKeys, outputOf } from './answer.ts'
import { inferenceError } from './error.ts'

/** The gateway's own format: a prompt or messages in, one output out. */
export const inference: Dialect = {
  name: 'inference',
  path: '',
  prefixes: ['/inference'],
  get requestShape() {
    return { fields: eitherFields(), required: ['model'] }
  },
  parse,
  render,
  encoder,
  fail: inferenceError,
}

function parse(request: Incoming): Call {
  const {
    body: { value: body },
  } = request
  if (typeof body['model'] !== 'string' || body['model'] === '') {
    throw new Failure('invalid_request', 'model field is required', { code: 'missing_required_parameter' })
  }
  const kind = kindOf(body)
  validate(body, kind === 'chat' ? chatInferenceFields : textInferenceFields)
  if (kind === 'text') refuseStreamedBest(body)
  if (typeof body['n'] === 'number' && body['n'] > 1) {
    throw new Failure('invalid_request', 'n must be 1, because an answer has one output', {
      param: 'n',
    })
  }
  const call = kind === 'chat' ? chatCallOf(request, inference.name) : callOf(request, inference.name, kind)
  // The last frame of every stream contains the usage, even if it was not requested.
  return { ...call, includeUsage: call.stream }
}

function kindOf(body: JsonObject): Call['kind'] {
  const hasPrompt = (body['prompt'] ?? null) !== null
  const hasMessages = (body['messages'] ?? null) !== null
  if (hasPrompt && hasMessages) {
    throw new Failure('invalid_request', 'give either prompt or messages, not both', { param: 'messages' })
  }
  if (!hasPrompt && !hasMessages) {
    throw new Failure('invalid_request', 'prompt or messages field is required', {
      code: 'missing_required_parameter',
    })
  }
  return hasPrompt ? 'text' : 'chat'
}

function render({ chunk: { value: chunk }, usage }: Reply, _call: Call, told: AnswerInfo): string {
  const extraKeys = new Set<string>()
  noteExtraKeys(chunk, extraKeys)
  const output = outputOf(chunk)
  return JSON.stringify(inferenceAnswer({ model: chunk.model, output, usage, extraKeys, info: told }))
}

function encoder(call: Call, told: () => AnswerInfo): StreamEncoder {
  const extraKeys = new Set<string>()
  let model = call.model
  return {
    encode(deltas) {
      let frames = ''
      for (const { value: chunk } of deltas) {
        model = chunk.model
        noteExtraKeys(chunk, extraKeys)
        const output = outputOf(chunk)
        if (output !== '') frames += frame(JSON.stringify({ model, output }))
      }
      return frames
    },
    end(usage) {
      const answer = inferenceAnswer({ model, output: '', usage, extraKeys, info: told() })
      return frame(JSON.stringify(answer)) + doneFrame
    },
    fail: (failure) => frame(JSON.stringify(inferenceError(failure))),
  }
}

/** The upstream checks the bounds of these. */
const unboundedNumbers = [
  ['temperature', aDecimal],
  ['top_p', aDecimal],
  ['frequency_penalty', aDecimal],
  ['presence_penalty', aDecimal],
] as const

const textInferenceFields: Fields = new Map([...textFields, ...unboundedNumbers, ['prompt', aString]])
const chatInferenceFields: Fields = new Map([...chatFields, ...unboundedNumbers])

/** Those of both kinds; what differs between them, such as `logprobs`, can be anything here. */
function eitherFields(): Fields {
  const either = new Map([...textInferenceFields, ...chatInferenceFields])
  for (const [name, schema] of textInferenceFields)
    if (either.get(name) !== schema) either.set(name, anything)
  return either
}
