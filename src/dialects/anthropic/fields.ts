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

/** Files by id are Anthropic's own to look up, and chats have no place for a document's address. */
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

const shown = [
  ['text', textBlock],
  ['image', image],
  ['document', document],
  ['search_result', searchResult],
] as const

/** What Anthropic's own servers did in an earlier turn: it comes back with the history, and is left out. */
const doneByServer = [
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

/** For Anthropic's own containers alone. */
const uploaded = ['container_upload', anObject({ file_id: aString })] as const

const said = [
  ['thinking', anObject({ thinking: aString })],
  ['redacted_thinking', anObject()],
  ['tool_use', anObject({ id: aString, name: aString, input: anObject().nullish() })],
  ...doneByServer,
] as const

const shownByTool = [...shown, ['tool_reference', anObject({ tool_name: aString })]] as const

/** Every type of block that has its place somewhere. */
const known: ReadonlySet<unknown> = new Set([...said, ...shownByTool].map(([type]) => type)).add(
  'tool_result',
)

type Blocks = (variants: Variants) => z.ZodType

function messagesWith(blocks: Blocks): z.ZodType {
  const toolResult = anObject({
    tool_use_id: aString,
    content: blocks(shownByTool).nullish(),
    is_error: aBoolean.nullish(),
  })
  const roles = new Map<unknown, z.ZodType>([
    [
      'user',
      anObject({ content: blocks([...shown, ['tool_result', toolResult], uploaded, ...doneByServer]) }),
    ],
    ['assistant', anObject({ content: blocks([['text', textBlock], ...said]) })],
    ['system', anObject({ content: blocks([['text', textBlock]]) })],
  ])
  const otherRole = anObject({ role: oneOf([...roles.keys()].map(spell)) })
  const message = form((value) => roles.get(isObject(value) ? value['role'] : undefined) ?? otherRole)
  return list(message, 'an array of objects', { minLength: 1 })
}

const ownTool = anObject({ name: aString, input_schema: anObject() })
/** Of Anthropic's own making: the type says it all. */
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
  // One answer is all that a message can hold.
  n: anInteger.min(1).max(1),
}

/** Types of block that are yet to come, or are known to Anthropic alone, are left out. */
const lenientShapes = {
  messages: messagesWith(someBlocks),
  system: someBlocks([['text', textBlock]]),
}

/** What else Anthropic knows. Nothing is made of it here. */
export const leftOut = [
  ...['cache_control', 'container', 'context_management', 'diagnostics', 'inference_geo', 'mcp_servers'],
  ...['service_tier', 'speed', 'user_profile_id', 'workspace_id'],
] as const

const others = Object.fromEntries(leftOut.map((name) => [name, anything]))

/** The fields of a message's request; beside Anthropic's, those of a chat, for upstreams that know more. */
export const anthropicFields: Fields = new Map([
  ...chatFields,
  ...fieldsOf({ ...shapes, ...others, ...lenientShapes }),
])

/** The same, as Anthropic insists. */
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
  // What says where a call may run is the gateway's own.
  models: anything,
  provider: anything,
})

type Variants = readonly (readonly [type: string, schema: z.ZodType])[]

/** An object whose `type` says what else it holds. */
function byType(variants: Variants): z.ZodType {
  const schemas = new Map<unknown, z.ZodType>(variants)
  const other = anObject({ type: oneOf(variants.map(([type]) => type)) })
  return form((value) => schemas.get(isObject(value) ? value['type'] : undefined) ?? other)
}

/** A text, or blocks of these types. */
function knownBlocks(variants: Variants): z.ZodType {
  return stringOrList(byType(variants))
}

/** The same, or of unknown types. */
function someBlocks(variants: Variants): z.ZodType {
  const block = byType(variants)
  return stringOrList(form((value) => (isUnknownBlock(value) ? undefined : block)))
}

function isUnknownBlock(value: unknown): boolean {
  return isObject(value) && typeof value['type'] === 'string' && !known.has(value['type'])
}

function stringOrList(block: z.ZodType): z.ZodType {
  const blocks = list(block, 'an array of objects')
  const neither = nothingBut('one of a string or array of objects')
  return form((value) => {
    if (typeof value === 'string') return undefined
    return Array.isArray(value) ? blocks : neither
  })
}
