import { Failure } from '../model/failure.ts'
import { isObject, type JsonObject } from '../model/json/json.ts'

/**
 * Sorts OpenAI's request fields for a prompt-only upstream: the fields to send, and the names of those that are dropped
 * because they change no answer. Throws `unsupported`, naming the field, for what the upstream cannot do.
 */
export function fieldsForPrompt(body: JsonObject, provider: string): SortedFields {
  const refusedField = refusedInPrompt(body)
  if (refusedField !== undefined) throw unsupportedField(refusedField, provider)
  const kept: JsonObject = {}
  const dropped: string[] = []
  let isWhole = true
  for (const [field, value] of Object.entries(body)) {
    if (handled.has(field)) isWhole = false
    else if (!harmless.has(field)) kept[field] = value
    else {
      isWhole = false
      if (isGiven(value)) dropped.push(field)
    }
  }
  if (hasParticipantNames(body['messages'])) dropped.push('messages[].name')
  return { kept, dropped, isWhole }
}

export type SortedFields = {
  readonly kept: JsonObject
  readonly dropped: readonly string[]
  /** True when every field is kept. */
  readonly isWhole: boolean
}

/** No template has a place for names of participants. */
function hasParticipantNames(messages: unknown): boolean {
  return Array.isArray(messages) && messages.some((message) => isObject(message) && isGiven(message['name']))
}

/** The first field of a request that a prompt cannot express; undefined if there is none. */
export function refusedInPrompt(body: JsonObject): string | undefined {
  return refused.find(([field, isAskedFor]) => isAskedFor(body[field], body))?.[0]
}

/** The failure that this upstream, though maybe not another, lacks a feature. */
export function unsupportedField(field: string, provider: string): Failure {
  const message = `Unsupported parameter: '${field}' is not supported by ${provider}.`
  return new Failure('unsupported', message, { param: field, provider })
}

type Asks = (value: unknown, body: JsonObject) => boolean

const refused: readonly (readonly [field: string, isAskedFor: Asks])[] = [
  ['suffix', (value) => isGiven(value) && value !== ''],
  ['logprobs', (value) => isGiven(value) && value !== false],
  ['top_logprobs', (value) => typeof value === 'number' && value > 0],
  ['best_of', (value, { n }) => typeof value === 'number' && value > (typeof n === 'number' ? n : 1)],
  ['tools', (value, { tool_choice: choice }) => isGiven(value) && choice !== 'none'],
  ['functions', (value, { function_call: choice }) => isGiven(value) && choice !== 'none'],
  ['response_format', (value) => isObject(value) && value['type'] !== 'text'],
  ['modalities', (value) => Array.isArray(value) && value.some((modality) => modality !== 'text')],
  // Beside `modalities: ["text"]` it is an unused preference.
  ['audio', (value, { modalities }) => isGiven(value) && !isGiven(modalities)],
  ['web_search_options', isGiven],
]

/** Fields that are emulated here, or request the default behaviour. */
const handled: ReadonlySet<string> = new Set([
  ...['stream', 'stream_options', 'n', 'best_of', 'echo', 'suffix', 'logprobs', 'top_logprobs'],
  ...['response_format', 'modalities', 'web_search_options'],
])

const harmless: ReadonlySet<string> = new Set([
  ...['store', 'metadata', 'service_tier', 'verbosity', 'prediction', 'safety_identifier', 'moderation'],
  ...['prompt_cache_key', 'prompt_cache_retention', 'prompt_cache_options', 'reasoning_effort'],
  ...['tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call', 'audio'],
])

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)
}
