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

/** Images and files by id exist only at OpenAI, and a chat cannot express a file's URL. */
const parts = new Map<unknown, z.ZodType>([
  ['input_text', anObject({ text: aString })],
  ['input_image', anObject({ image_url: aString, detail: aString.nullish() })],
  ['input_file', anObject({ file_data: aString, filename: aString.nullish() })],
  ['input_audio', anObject({ input_audio: anObject({ data: aString, format: aString }) })],
  ['output_text', anObject({ text: aString })],
  ['refusal', anObject({ refusal: aString })],
])
/** Parts of other types are forwarded, for upstreams that support them. */
const otherPart = anObject({ type: aString })
const strictOtherPart = anObject({ type: oneOf([...parts.keys()].map(spell)) })

const summary = list(anObject({ text: aString }), 'an array of objects')
const call = { call_id: aString, name: aString, namespace: aString.nullish() }

const tool = form((value) => tools.get(isObject(value) ? value['type'] : undefined) ?? anyTool)
/** OpenAI's own tools, and unknown ones. */
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
    if (isLenient && isMessage && isObject(value) && isAssistantWithoutRole(value)) return answer
    return items.get(type ?? 'message') ?? anyTool
  })
  return {
    ...Object.fromEntries([...ignoredFields, ...unsupportedFields].map((name) => [name, anything])),
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
    // The format has exactly one answer.
    n: anInteger.min(1).max(1),
  }
}

/** The roles of a message. */
const messageRoles = ['user', 'assistant', 'system', 'developer'] as const

/** True for an item with output text but without a role: it is the assistant's. */
export function isAssistantWithoutRole({ role, content }: JsonObject): boolean {
  if (messageRoles.some((name) => name === role)) return false
  return Array.isArray(content) && content.some((part) => isObject(part) && part['type'] === 'output_text')
}

const toolMode = oneOf(['none', 'auto', 'required'])

/** OpenAI's other fields. They are ignored, because the answer is valid without them. */
export const ignoredFields = [
  'access_programs',
  'client_metadata',
  'context_management',
  'image',
  'max_tool_calls',
  'moderation',
] as const

/** Fields that are refused, because ignoring them would make the answer wrong. */
export const unsupportedFields = ['conversation', 'prompt'] as const

const strictShapes = shapesWith(strictOtherPart, false)

/** The request fields of a response. A chat's fields are accepted too, for upstreams that support them. */
export const responsesFields: Fields = new Map([...chatFields, ...fieldsOf(shapesWith(otherPart, true))])

/** The same, with OpenAI's checks. */
export const strictResponsesFields: Fields = fieldsOf({
  ...strictShapes,
  max_output_tokens: anInteger.min(16),
  // The gateway's own steering fields.
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
