import type * as z from 'zod'
import { isObject } from '../../core/model/json/json.ts'
import { samplingFields, strictSamplingFields } from '../shared/sampling-fields.ts'
import {
  aBoolean,
  anInteger,
  anObject,
  anything,
  aString,
  form,
  list,
  nothingBut,
  oneOf,
} from '../shared/schemas.ts'
import { type Fields, fieldsOf } from '../shared/validate.ts'
import { messages, strictMessages } from './chat-messages.ts'

const functionTool = anObject({ function: anObject({ name: aString }) })
/** Tools of other types are forwarded, for upstreams that support them. */
const otherTool = anObject({ type: aString })
const strictTool = form((value) =>
  isObject(value) && value['type'] === 'function' ? functionTool : otherTool,
)
/** `chatCallOf` repairs a tool with a function and without a type. */
const tool = form((value) => {
  const { type = null, function: described } = isObject(value) ? value : {}
  return type === 'function' || (type === null && described !== undefined) ? functionTool : otherTool
})

const jsonSchemaFormat = anObject({ json_schema: anObject() })
const otherFormat = anObject({ type: aString })

const shapes = {
  messages,
  max_completion_tokens: anInteger.min(0),
  // A boolean in a chat, a count in a text completion.
  logprobs: aBoolean,
  top_logprobs: anInteger.min(0).max(20),
  tools: list(tool, 'an array of objects'),
  tool_choice: stringOrObject(anObject()),
  parallel_tool_calls: aBoolean,
  functions: list(anObject({ name: aString }), 'an array of objects'),
  function_call: stringOrObject(anObject({ name: aString })),
  response_format: form((value) =>
    isObject(value) && value['type'] === 'json_schema' ? jsonSchemaFormat : otherFormat,
  ),
  reasoning_effort: aString,
  verbosity: aString,
  service_tier: aString,
  modalities: list(aString, 'an array of strings'),
  audio: anObject(),
  prediction: anObject(),
  web_search_options: anObject(),
  metadata: anObject(),
  store: aBoolean,
  safety_identifier: aString,
  prompt_cache_key: aString,
  prompt_cache_options: anObject(),
  prompt_cache_retention: aString,
  moderation: anything,
}

const strictShapes = {
  ...shapes,
  messages: strictMessages,
  tools: list(strictTool, 'an array of objects'),
  reasoning_effort: oneOf(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']),
  verbosity: oneOf(['low', 'medium', 'high']),
  service_tier: oneOf(['auto', 'default', 'flex', 'scale', 'priority', 'fast']),
}

/** The request fields of a chat completion, with the checks that the gateway needs. */
export const chatFields: Fields = fieldsOf({ ...samplingFields, ...shapes })

/** The same, with OpenAI's checks. */
export const strictChatFields: Fields = fieldsOf({ ...strictSamplingFields, ...strictShapes })

function stringOrObject(object: z.ZodType): z.ZodType {
  const neither = nothingBut('one of a string or object')
  return form((value) => {
    if (typeof value === 'string') return undefined
    return isObject(value) ? object : neither
  })
}
