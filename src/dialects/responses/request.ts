import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'
import { ignoredFields } from './fields.ts'
import { chatMessages } from './messages.ts'
import { chatTools, type ToolOrigin } from './tools.ts'

/** A request for a response, converted to OpenAI's chat request. */
export type ChatRequest = {
  readonly body: JsonObject
  /** The names of dropped fields. */
  readonly dropped: readonly string[]
  readonly converted: readonly string[] | undefined
  /** The origins of the chat's tools, by their names in the chat. */
  readonly origins: ReadonlyMap<string, ToolOrigin>
}

/**
 * Converts a request that passed `responsesFields`, with `items` as its conversation. Unknown fields are forwarded
 * unchanged. Throws Failure `unsupported` for a tool choice that is not available.
 */
export function chatRequest(request: JsonObject, items: readonly JsonObject[]): ChatRequest {
  const { instructions, tools, tool_choice, parallel_tool_calls, text, reasoning, include, ...rest } = request
  const { max_output_tokens, top_logprobs, truncation, ...same } = rest
  const dropped = new Set<string>()
  const body: JsonObject = same
  for (const field of ignoredFields) {
    if ((body[field] ?? null) !== null) dropped.add(field)
    delete body[field]
  }
  for (const field of ownFields) delete body[field]
  if (truncation === 'auto') dropped.add('truncation')
  body['messages'] = chatMessages(instructions, items, dropped)
  const { fields, origins } = chatTools(allTools(tools, items), tool_choice, dropped)
  Object.assign(body, fields)
  // Some upstreams refuse `parallel_tool_calls` without tools.
  if ('tools' in fields && (parallel_tool_calls ?? null) !== null) {
    body['parallel_tool_calls'] = parallel_tool_calls
  }
  if ((max_output_tokens ?? null) !== null) body['max_completion_tokens'] = max_output_tokens
  addText(body, text)
  if (isObject(reasoning)) addReasoning(body, reasoning, dropped)
  addLogprobs(body, top_logprobs, include, dropped)
  const isAnyCustom = origins.values().some(({ type }) => type === 'custom')
  const converted = isAnyCustom ? ['custom tools to functions'] : undefined
  return { body, dropped: [...dropped].slice(0, mostDropped), converted, origins }
}

/** A limit, because the names may contain the caller's text and all go into one header. */
const mostDropped = 32

/** Fields that the gateway handles and does not forward. */
const ownFields = [
  'input',
  'previous_response_id',
  'store',
  'metadata',
  'background',
  'conversation',
  'prompt',
  'stream_options',
]

/** The tools of the request, and those in its items. */
function allTools(tools: unknown, items: readonly JsonObject[]): readonly unknown[] {
  const lists = [tools, ...items.map(({ type, tools: added }) => (type === 'additional_tools' ? added : []))]
  return lists.flatMap((list): readonly unknown[] => (Array.isArray(list) ? list : []))
}

function addText(body: JsonObject, text: unknown): void {
  const { format, verbosity } = isObject(text) ? text : {}
  if (typeof verbosity === 'string') body['verbosity'] = verbosity
  const { type, ...rest } = isObject(format) ? format : {}
  if (type === undefined || type === 'text') return
  const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null))
  body['response_format'] = type === 'json_schema' ? { type, json_schema: said } : { type, ...said }
}

function addReasoning(body: JsonObject, { effort, ...rest }: JsonObject, dropped: Set<string>): void {
  if (typeof effort === 'string') body['reasoning_effort'] = effort
  for (const [name, value] of Object.entries(rest)) {
    if (value !== null && name !== 'summary' && name !== 'generate_summary') dropped.add(`reasoning.${name}`)
  }
}

function addLogprobs(body: JsonObject, top: unknown, include: unknown, dropped: Set<string>): void {
  const wanted: readonly unknown[] = Array.isArray(include) ? include : []
  for (const name of wanted) if (name !== logprobs) dropped.add(`include.${spell(name)}`)
  const asksTop = typeof top === 'number' && top > 0
  if (!asksTop && !wanted.includes(logprobs)) return
  body['logprobs'] = true
  if (asksTop) body['top_logprobs'] = top
}

const logprobs = 'message.output_text.logprobs'
