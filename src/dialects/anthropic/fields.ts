import type * as z from 'zod'
import { isObject, spell } from '../../core/model/json/json.ts'
import { chatFields } from '../openai/chat-fields.ts'
import { stopStrings } from '../shared/sampling-fields.ts'
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

const textBlock = anObject({ text: aString })
const searchResult = anObject({
  title: aString,
  source: aString,
  content: list(textBlock, 'an array of objects'),
})

/** Files by id exist only at Anthropic, and a chat cannot express a document's URL. */
const imageSource = byType([
  ['base64', anObject({ media_type: aString, data: aString })],
  ['url', anObject({ url: aString })],
])
const image = anObject({ source: imageSource })
const documentSource = byType([
  ['base64', anObject({ media_type: aString, data: aString })],
  ['text', anObject({ data: aString })],
  [
    'content',
    anObject({
      content: knownBlocks([
        ['text', textBlock],
        ['image', image],
      ]),
    }),
  ],
])
const document = anObject({ source: documentSource, title: aString.nullish(), context: aString.nullish() })

const contentBlocks = [
  ['text', textBlock],
  ['image', image],
  ['document', document],
  ['search_result', searchResult],
] as const

/** Calls and results of Anthropic's server tools in earlier turns. They are accepted and dropped. */
const serverToolBlocks = [
  'server_tool_use',
  'web_search_tool_result',
  'web_fetch_tool_result',
  'code_execution_tool_result',
  'bash_code_execution_tool_result',
  'text_editor_code_execution_tool_result',
  'tool_search_tool_result',
  'mcp_tool_use',
  'mcp_tool_result',
].map((type) => [type, anObject()] as const)

/** Refers to Anthropic's own containers. */
const uploaded = ['container_upload', anObject({ file_id: aString })] as const

const assistantBlocks = [
  ['thinking', anObject({ thinking: aString })],
  ['redacted_thinking', anObject()],
  ['tool_use', anObject({ id: aString, name: aString, input: anObject().nullish() })],
  ...serverToolBlocks,
] as const

const toolResultBlocks = [...contentBlocks, ['tool_reference', anObject({ tool_name: aString })]] as const

/** All known block types. */
const knownTypes: ReadonlySet<unknown> = new Set(
  [...assistantBlocks, ...toolResultBlocks].map(([type]) => type),
).add('tool_result')

type Blocks = (variants: Variants) => z.ZodType

function messagesWith(blocks: Blocks): z.ZodType {
  const toolResult = anObject({
    tool_use_id: aString,
    content: blocks(toolResultBlocks).nullish(),
    is_error: aBoolean.nullish(),
  })
  const roles = new Map<unknown, z.ZodType>([
    [
      'user',
      anObject({
        content: blocks([...contentBlocks, ['tool_result', toolResult], uploaded, ...serverToolBlocks]),
      }),
    ],
    ['assistant', anObject({ content: blocks([['text', textBlock], ...assistantBlocks]) })],
    ['system', anObject({ content: blocks([['text', textBlock]]) })],
  ])
  const otherRole = anObject({ role: oneOf([...roles.keys()].map(spell)) })
  const message = form((value) => roles.get(isObject(value) ? value['role'] : undefined) ?? otherRole)
  return list(message, 'an array of objects', { minLength: 1 })
}

const ownTool = anObject({ name: aString, input_schema: anObject() })
/** Tools that Anthropic defines. The type is the whole definition. */
const typedTool = anObject({ type: aString })
const tool = form((value) => {
  const type = isObject(value) ? value['type'] : undefined
  return type === undefined || type === null || type === 'custom' ? ownTool : typedTool
})

const parallel = { disable_parallel_tool_use: aBoolean.nullish() }
const toolChoice = byType([
  ['auto', anObject(parallel)],
  ['any', anObject(parallel)],
  ['tool', anObject({ ...parallel, name: aString })],
  ['none', anObject()],
])

const jsonFormat = anObject({ type: oneOf(['json_schema']), schema: anObject() })

const shapes = {
  model: aString,
  messages: messagesWith(knownBlocks),
  max_tokens: anInteger.min(0),
  system: knownBlocks([['text', textBlock]]),
  tools: list(tool, 'an array of objects'),
  tool_choice: toolChoice,
  stop_sequences: stopStrings(),
  temperature: aDecimal.min(0).max(2),
  top_p: aDecimal.min(0).max(1),
  top_k: anInteger,
  metadata: anObject({ user_id: aString.nullish() }),
  thinking: anObject({ type: aString, budget_tokens: anInteger.nullish() }),
  output_config: anObject({ effort: aString.nullish(), format: jsonFormat.nullish() }),
  stream: aBoolean,
  // The format has exactly one answer.
  n: anInteger.min(1).max(1),
}

/** Shapes that accept unknown block types, which are dropped. */
const lenientShapes = {
  messages: messagesWith(someBlocks),
  system: someBlocks([['text', textBlock]]),
}

/** Anthropic's other fields. They are ignored, and reported as dropped. */
export const ignoredFields = [
  ...['cache_control', 'container', 'context_management', 'diagnostics', 'inference_geo', 'mcp_servers'],
  ...['service_tier', 'speed', 'user_profile_id', 'workspace_id'],
] as const

const others = Object.fromEntries(ignoredFields.map((name) => [name, anything]))

/** The request fields of a message. A chat's fields are accepted too, for upstreams that support them. */
export const anthropicFields: Fields = new Map([
  ...chatFields,
  ...fieldsOf({ ...shapes, ...others, ...lenientShapes }),
])

/** The same, with Anthropic's checks. */
export const strictAnthropicFields: Fields = fieldsOf({
  ...shapes,
  ...others,
  temperature: aDecimal.min(0).max(1),
  thinking: byType([
    ['enabled', anObject({ budget_tokens: anInteger.min(1024) })],
    ['disabled', anObject()],
    ['adaptive', anObject()],
    ['between_tools', anObject()],
  ]),
  // The gateway's own steering fields.
  models: anything,
  provider: anything,
})

type Variants = readonly (readonly [type: string, schema: z.ZodType])[]

/** An object whose `type` decides its other fields. */
function byType(variants: Variants): z.ZodType {
  const schemas = new Map<unknown, z.ZodType>(variants)
  const other = anObject({ type: oneOf(variants.map(([type]) => type)) })
  return form((value) => schemas.get(isObject(value) ? value['type'] : undefined) ?? other)
}

/** A string, or blocks of these types. */
function knownBlocks(variants: Variants): z.ZodType {
  return stringOrList(byType(variants))
}

/** A string, or blocks of these or unknown types. */
function someBlocks(variants: Variants): z.ZodType {
  const block = byType(variants)
  return stringOrList(form((value) => (isUnknownBlock(value) ? undefined : block)))
}

function isUnknownBlock(value: unknown): boolean {
  return isObject(value) && typeof value['type'] === 'string' && !knownTypes.has(value['type'])
}

function stringOrList(block: z.ZodType): z.ZodType {
  const blocks = list(block, 'an array of objects')
  const neither = nothingBut('one of a string or array of objects')
  return form((value) => {
    if (typeof value === 'string') return undefined
    return Array.isArray(value) ? blocks : neither
  })
}
