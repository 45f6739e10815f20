import { isObject, type JsonObject } from '../core/model/json/json.ts'
import { strictResponsesFields } from './responses/fields.ts'
import type { HeaderLookup } from './shared/dialect.ts'

/**
 * The dialect of a body by its shape. `input` with no other field of a response means embeddings; ambiguous messages
 * mean OpenAI's chat. Null counts as absent.
 */
export function dialectOf(body: JsonObject, headers: HeaderLookup): string {
  if (isGiven(body, 'documents')) return 'rerank'
  if (isGiven(body, 'messages')) return isAnthropic(body, headers) ? 'messages' : 'chat'
  if (isGiven(body, 'previous_response_id')) return 'responses'
  if (isGiven(body, 'input')) return isResponse(body) ? 'responses' : 'embeddings'
  return 'completions'
}

function isGiven(body: JsonObject, field: string): boolean {
  return (body[field] ?? null) !== null
}

function isAnthropic(body: JsonObject, headers: HeaderLookup): boolean {
  return (
    headers('anthropic-version') !== undefined ||
    anthropicFields.some((field) => isGiven(body, field)) ||
    anthropicChoices.has(typeIn(body['tool_choice'])) ||
    listIn(body, 'tools').some((tool) => 'input_schema' in tool || typeof tool['name'] === 'string') ||
    listIn(body, 'messages').some((message) =>
      listIn(message, 'content').some((part) => anthropicParts.has(typeIn(part))),
    )
  )
}

/** Fields that an OpenAI chat does not have. `thinking` is left out, because other servers accept it in a chat. */
const anthropicFields = ['system', 'stop_sequences', 'output_config', 'mcp_servers', 'context_management']

const anthropicChoices: ReadonlySet<unknown> = new Set(['any', 'tool', 'auto', 'none'])

const anthropicParts: ReadonlySet<unknown> = new Set([
  'image',
  'document',
  'search_result',
  'tool_use',
  'tool_result',
  'thinking',
  'redacted_thinking',
])

/** The input of embeddings is texts or token ids, beside few other fields. */
function isResponse(body: JsonObject): boolean {
  if (listIn(body, 'input').length > 0) return true
  return Object.keys(body).some(
    (field) => isGiven(body, field) && strictResponsesFields.has(field) && !shared.has(field),
  )
}

const shared: ReadonlySet<string> = new Set(['model', 'input', 'user', 'models', 'provider'])

function listIn(body: JsonObject, field: string): readonly JsonObject[] {
  const list: unknown = body[field]
  return Array.isArray(list) ? list.filter(isObject) : []
}

function typeIn(value: unknown): unknown {
  return isObject(value) ? value['type'] : undefined
}
