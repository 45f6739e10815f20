import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { ignoredFields } from './fields.ts'
import { chatMessages } from './messages.ts'
import { chatTools } from './tools.ts'

/**
 * Converts a request that passed `anthropicFields` to OpenAI's chat request, and lists the dropped fields. Unknown
 * fields are forwarded unchanged. Throws Failure `unsupported` for a tool choice that is not available.
 */
export function chatRequest(request: JsonObject): { readonly body: JsonObject; readonly dropped: string[] } {
  const { system, messages, tools, tool_choice, stop_sequences, metadata, thinking, output_config, ...same } =
    request
  const dropped = new Set<string>()
  const body: JsonObject = same
  for (const field of ignoredFields) {
    if ((body[field] ?? null) !== null) dropped.add(field)
    delete body[field]
  }
  body['messages'] = chatMessages(system, messages, dropped)
  Object.assign(body, chatTools(tools, tool_choice, dropped))
  if (Array.isArray(stop_sequences) && stop_sequences.length > 0) body['stop'] = stop_sequences
  if (isObject(metadata)) takeMetadata(body, metadata, dropped)
  const config = isObject(output_config) ? output_config : {}
  if (isObject(config['format'])) body['response_format'] = responseFormat(config['format'])
  const effort = effortOf(config['effort'], thinking, dropped)
  if (effort !== undefined) body['reasoning_effort'] ??= effort
  return { body, dropped: [...dropped].slice(0, mostDropped) }
}

/** A limit, because the names may contain the caller's text and all go into one header. */
const mostDropped = 32

function takeMetadata(body: JsonObject, { user_id: user, ...rest }: JsonObject, dropped: Set<string>): void {
  if (typeof user === 'string') body['user'] = user
  if (Object.keys(rest).length > 0) dropped.add('metadata')
}

/** Anthropic's schema has no name and is always strict. */
function responseFormat({ schema }: JsonObject): JsonObject {
  return { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } }
}

/**
 * The reasoning effort in the three values that servers of open models know; undefined if the model decides. There is
 * no value for "none" that all of them know.
 */
function effortOf(effort: unknown, thinking: unknown, dropped: Set<string>): string | undefined {
  if (!isObject(thinking)) return efforts.get(effort)
  const { type, budget_tokens: budgetTokens, display } = thinking
  if ((display ?? null) !== null) dropped.add('thinking.display')
  if (type !== 'enabled' && type !== 'adaptive') dropped.add('thinking')
  const named = efforts.get(effort)
  if (named !== undefined || type !== 'enabled' || typeof budgetTokens !== 'number') return named
  if (budgetTokens < mediumTokens) return 'low'
  return budgetTokens < highTokens ? 'medium' : 'high'
}

const efforts: ReadonlyMap<unknown, string> = new Map([
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['xhigh', 'high'],
  ['max', 'high'],
])

/** The minimum budgets of reasoning tokens for a medium and for a high effort. */
const mediumTokens = 4096
const highTokens = 16_384
