import type * as z from 'zod'
import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'
import { chatFields } from '../openai/chat-fields.ts'
import {
  aBoolean,
  aDecimal,
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

/** Images and files by id are only known to OpenAI, and chats have no place for a file's URL. */
const parts = new Map<unknown, z.ZodType>([
  ['input_text', anObject({ text: aString })],
  ['input_image', anObject({ image_url: aString, detail: aString.nullish() })],
  ['input_file', anObject({ file_data: aString, filename: aString.nullish() })],
  ['input_audio', anObject({ input_audio: anObject({ data: aString, format: aString }) })],
  ['output_text', anObject({ text: aString })],
  ['refusal', anObject({ refusal: aString })],
])
/** Parts of other types are for upstreams that support them. */
const otherPart = anObject({ type: aString })
const strictOtherPart = anObject({ type: oneOf([...parts.keys()].map(spell)) })

const summary = list(anObject({ text: aString }), 'an array of objects')
const call = { call_id: aString, name: aString, namespace: aString.nullish() }

const tool = form((value) => tools.get(isObject(value) ? value['type'] : undefined) ?? anyTool)
/** OpenAI's own tools, and future ones. */
const anyTool = anObject({ type: aString })
const tools = new Map<unknown, z.ZodType>([
  ['function', anObject({ name: aString, description: aString.nullish(), parameters: anObject().nullish() })],
  ['custom', anObject({ name: aString, description: aString.nullish(), format: anObject().nullish() })],
  ['namespace', anObject({ name: aString, tools: list(anyTool, 'an array of objects') })],
])

const namedChoice = anObject({ name: aString })
const choices = new Map<unknown, z.ZodType>([
  ['function', namedChoice],
  ['custom', namedChoice],
  [
    'allowed_tools',
    anObject({ mode: oneOf(['auto', 'required']), tools: list(anyTool, 'an array of objects') }),
  ],
])

const jsonSchemaFormat = anObject({ name: aString, schema: anObject() })
const textFormat = form((value) =>
  isObject(value) && value['type'] === 'json_schema' ? jsonSchemaFormat : anyTool,
)

function shapesWith(unknownPart: z.ZodType, isLenient: boolean): Record<string, z.ZodType> {
  const part = form((value) => parts.get(isObject(value) ? value['type'] : undefined) ?? unknownPart)
  const content = stringOr(list(part, 'an array of objects'), 'array of objects')
  const message = anObject({ role: oneOf(messageRoles), content })
  const answer = anObject({ content })
  const output = anObject({ call_id: aString, output: content })
  const items = new Map<unknown, z.ZodType>([
    ['message', message],
    ['function_call', anObject({ ...call, arguments: aString })],
    ['function_call_output', output],
    ['custom_tool_call', anObject({ ...call, input: aString })],
    ['custom_tool_call_output', output],
    ['reasoning', anObject({ summary: summary.nullish(), content: summary.nullish() })],
    ['item_reference', anObject({ id: aString })],
    ['additional_tools', anObject({ tools: list(tool, 'an array of objects') })],
  ])
  const item = form((value) => {
    const { type = null, role } = isObject(value) ? value : {}
    if (type === null && role === undefined && isObject(value) && 'id' in value)
      return items.get('item_reference')
    const isMessage = type === 'message' || (type === null && role !== undefined)
    if (isLenient && isMessage && isObject(value) && isUnnamedAnswer(value)) return answer
    return items.get(type ?? 'message') ?? anyTool
  })
  return {
    ...Object.fromEntries([...leftOut, ...refused].map((name) => [name, anything])),
    model: aString,
    input: stringOr(list(item, 'an array of objects'), 'array of objects'),
    instructions: aString,
    previous_response_id: aString,
    tools: list(tool, 'an array of objects'),
    tool_choice: form((value) => {
      if (typeof value === 'string') return toolMode
      return isObject(value)
        ? (choices.get(value['type']) ?? anyTool)
        : nothingBut('one of a string or object')
    }),
    parallel_tool_calls: aBoolean,
    text: anObject({ format: textFormat.nullish(), verbosity: aString.nullish() }),
    reasoning: anObject({ effort: aString.nullish(), summary: aString.nullish() }),
    max_output_tokens: anInteger.min(1),
    max_tool_calls: anInteger,
    temperature: aDecimal.min(0).max(2),
    top_p: aDecimal.min(0).max(1),
    top_logprobs: anInteger.min(0).max(20),
    stream: aBoolean,
    stream_options: anObject({ include_obfuscation: aBoolean.nullish() }),
    store: aBoolean,
    background: aBoolean,
    include: list(aString, 'an array of strings'),
    metadata: anObject(),
    truncation: oneOf(['auto', 'disabled']),
    user: aString,
    safety_identifier: aString,
    prompt_cache_key: aString,
    prompt_cache_options: anObject(),
    prompt_cache_retention: aString,
    service_tier: aString,
    // A response has exactly one answer.
    n: anInteger.min(1).max(1),
  }
}

/** The roles of a message. */
const messageRoles = ['user', 'assistant', 'system', 'developer'] as const

/** Items with output belong to the assistant, even if no role says so. */
export function isUnnamedAnswer({ role, content }: JsonObject): boolean {
  if (messageRoles.some((name) => name === role)) return false
  return Array.isArray(content) && content.some((part) => isObject(part) && part['type'] === 'output_text')
}

const toolMode = oneOf(['none', 'auto', 'required'])

/** Other fields of OpenAI's, which are ignored: an answer without them is still an answer. */
export const leftOut = [
  'access_programs',
  'client_metadata',
  'context_management',
  'image',
  'max_tool_calls',
  'moderation',
] as const

/** Fields without which an answer would be wrong. */
export const refused = ['conversation', 'prompt'] as const

const strictShapes = shapesWith(strictOtherPart, false)

/** The request fields of a response; besides OpenAI's, those of a chat, for upstreams that support more. */
export const responsesFields: Fields = new Map([...chatFields, ...fieldsOf(shapesWith(otherPart, true))])

/** The same, with OpenAI's checks. */
export const strictResponsesFields: Fields = fieldsOf({
  ...strictShapes,
  max_output_tokens: anInteger.min(16),
  // Steering fields are the gateway's own.
  models: anything,
  provider: anything,
})

function stringOr(other: z.ZodType, phrase: string): z.ZodType {
  const neither = nothingBut(`one of a string or ${phrase}`)
  return form((value) => {
    if (typeof value === 'string') return undefined
    return Array.isArray(value) ? other : neither
  })
}
