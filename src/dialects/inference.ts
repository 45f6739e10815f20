import { Failure } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import type { Call, Reply } from '../core/model.ts'
import { refuseStreamedBest } from './best-of.ts'
import { callOf } from './call.ts'
import { chatCallOf } from './chat-call.ts'
import { chatFields } from './chat-fields.ts'
import type { Dialect, Incoming, StreamEncoder, Told } from './dialect.ts'
import { inferenceAnswer, noteExtraKeys, outputOf } from './inference-answer.ts'
import { inferenceError } from './inference-error.ts'
import { aDecimal, aString } from './shape.ts'
import { doneFrame, frame } from './sse-frame.ts'
import { textFields } from './text-fields.ts'
import { type Fields, validate } from './validate.ts'

/** The gateway's own small shape: a prompt or messages in, one output out. */
export const inference: Dialect = {
  name: 'inference',
  path: '',
  prefixes: ['/inference'],
  parse,
  render,
  encoder,
  fail: inferenceError,
}

function parse(request: Incoming): Call {
  const { body } = request
  if (typeof body['model'] !== 'string' || body['model'] === '') {
    throw new Failure('invalid_request', 'model field is required', { code: 'missing_required_parameter' })
  }
  const kind = kindOf(body)
  validate(body, kind === 'chat' ? chatInferenceFields : textInferenceFields)
  if (kind === 'text') refuseStreamedBest(body)
  if (typeof body['n'] === 'number' && body['n'] > 1) {
    throw new Failure('invalid_request', 'n above 1 is not served here: a call has one output', {
      param: 'n',
    })
  }
  const call = kind === 'chat' ? chatCallOf(request, 'inference') : callOf(request, 'inference', kind)
  // The last frame of every stream tells the usage, asked for or not.
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

function render({ chunk, usage }: Reply, _call: Call, told: Told): string {
  const extraKeys = new Set<string>()
  noteExtraKeys(chunk, extraKeys)
  const output = outputOf(chunk)
  return JSON.stringify(inferenceAnswer({ model: chunk.model, output, usage, extraKeys, told }))
}

function encoder(call: Call, told: () => Told): StreamEncoder {
  const extraKeys = new Set<string>()
  let model = call.model
  return {
    encode(deltas) {
      let frames = ''
      for (const { chunk } of deltas) {
        model = chunk.model
        noteExtraKeys(chunk, extraKeys)
        const output = outputOf(chunk)
        if (output !== '') frames += frame(JSON.stringify({ model, output }))
      }
      return frames
    },
    end(usage) {
      const answer = inferenceAnswer({ model, output: '', usage, extraKeys, told: told() })
      return frame(JSON.stringify(answer)) + doneFrame
    },
    fail: (failure) => frame(JSON.stringify(inferenceError(failure))),
  }
}

/** Bounds are the upstream's to know: here a number is a number. */
const unboundedNumbers = [
  ['temperature', aDecimal],
  ['top_p', aDecimal],
  ['frequency_penalty', aDecimal],
  ['presence_penalty', aDecimal],
] as const

const textInferenceFields: Fields = new Map([...textFields, ...unboundedNumbers, ['prompt', aString]])
const chatInferenceFields: Fields = new Map([...chatFields, ...unboundedNumbers])
