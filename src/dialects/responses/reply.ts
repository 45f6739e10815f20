import type OpenAI from 'openai'
import type { Call, FinishReason } from '../../core/model/call.ts'
import type { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { Usage } from '../../core/model/terms.ts'
import { effectiveTool, type ToolOrigin } from './tools.ts'

/** A call of this dialect, with the request that its answer repeats. */
export type ResponsesCall = Call & { readonly origin: ResponseRequest }

export type ResponseRequest = {
  /** The common part of the ids of the response and its items. */
  readonly stem: string
  readonly tenant: string
  /** The caller's request, unchanged. */
  readonly request: JsonObject
  /** The input items of the request, each with an id. */
  readonly input: readonly JsonObject[]
  readonly origins: ReadonlyMap<string, ToolOrigin>
}

/** The fields that change while the response is generated. */
export type ResponseState = {
  readonly model: string
  readonly createdEpochMs: number
  readonly output: readonly JsonObject[]
  readonly serviceTier: unknown
  readonly ending: Ending
}

export type Ending =
  | { readonly status: 'in_progress' }
  | { readonly status: 'completed'; readonly endedEpochMs: number; readonly usage: Usage }
  | { readonly status: 'incomplete'; readonly reason: IncompleteReason; readonly usage: Usage }
  | { readonly status: 'failed'; readonly failure: Failure }

type IncompleteReason = 'max_output_tokens' | 'content_filter'

/** The status and its details, by the model's finish reason. */
export function endingOf(reason: FinishReason | null, usage: Usage, endedEpochMs: number): Ending {
  if (reason === 'length') return { status: 'incomplete', reason: 'max_output_tokens', usage }
  if (reason === 'content_filter') return { status: 'incomplete', reason: 'content_filter', usage }
  return { status: 'completed', endedEpochMs, usage }
}

export function responseId(stem: string): string {
  return `resp_${stem}`
}

/** A response in its current state. Every key is present, null if unset, because clients read them without a check. */
export function responseOf({ stem, request }: ResponseRequest, state: ResponseState): JsonObject {
  const { ending, output, model, createdEpochMs, serviceTier } = state
  return {
    id: responseId(stem),
    object: 'response',
    created_at: Math.floor(createdEpochMs / 1000),
    completed_at: ending.status === 'completed' ? Math.floor(ending.endedEpochMs / 1000) : null,
    status: ending.status,
    error: ending.status === 'failed' ? errorOf(ending.failure) : null,
    incomplete_details: ending.status === 'incomplete' ? { reason: ending.reason } : null,
    model,
    output,
    usage: 'usage' in ending ? responseUsage(ending.usage) : null,
    ...requestFields(request),
    service_tier: typeof serviceTier === 'string' ? serviceTier : 'default',
  }
}

/** The codes of OpenAI's enum, and `context_length_exceeded`, which agents use. */
function errorOf({ kind, blame, message, extra }: Failure): JsonObject {
  if (kind === 'context_length') return { ...extra, code: 'context_length_exceeded', message }
  if (kind === 'rate_limited') return { ...extra, code: 'rate_limit_exceeded', message }
  return { ...extra, code: blame === 'caller' ? 'invalid_prompt' : 'server_error', message }
}

function requestFields(request: JsonObject): JsonObject {
  const { text, reasoning, tools } = request
  return {
    access_programs: null,
    background: false,
    instructions: request['instructions'] ?? null,
    max_output_tokens: request['max_output_tokens'] ?? null,
    max_tool_calls: request['max_tool_calls'] ?? null,
    metadata: request['metadata'] ?? {},
    parallel_tool_calls: request['parallel_tool_calls'] ?? true,
    previous_response_id: request['previous_response_id'] ?? null,
    prompt_cache_key: request['prompt_cache_key'] ?? null,
    reasoning: { effort: null, summary: null, ...(isObject(reasoning) ? reasoning : {}) },
    safety_identifier: request['safety_identifier'] ?? null,
    store: request['store'] ?? true,
    temperature: request['temperature'] ?? 1,
    text: { ...(isObject(text) ? text : {}), format: formatOf(text) },
    tool_choice: request['tool_choice'] ?? 'auto',
    tools: Array.isArray(tools) ? tools.map(effectiveTool) : [],
    top_logprobs: request['top_logprobs'] ?? 0,
    top_p: request['top_p'] ?? 1,
    presence_penalty: request['presence_penalty'] ?? 0,
    frequency_penalty: request['frequency_penalty'] ?? 0,
    truncation: request['truncation'] ?? 'disabled',
    user: request['user'] ?? null,
  }
}

function formatOf(text: unknown): unknown {
  return (isObject(text) ? text['format'] : undefined) ?? { type: 'text' }
}

function responseUsage(usage: Usage): OpenAI.Responses.ResponseUsage {
  const prompt = usage['prompt_tokens_details']
  return {
    input_tokens: usage.prompt_tokens,
    input_tokens_details: {
      cached_tokens: countIn(prompt, 'cached_tokens'),
      cache_write_tokens: countIn(prompt, 'cache_write_tokens'),
    },
    output_tokens: usage.completion_tokens,
    output_tokens_details: {
      reasoning_tokens: countIn(usage['completion_tokens_details'], 'reasoning_tokens'),
    },
    total_tokens: usage.total_tokens,
  }
}

function countIn(details: unknown, name: string): number {
  const count = isObject(details) ? details[name] : undefined
  return typeof count === 'number' ? count : 0
}
