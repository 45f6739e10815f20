import type Anthropic from '@anthropic-ai/sdk'
import { consumptionOf } from '../../core/account/attempt-cost.ts'
import type { Call, Choice, FinishReason } from '../../core/model/call.ts'
import { isObject } from '../../core/model/json/json.ts'
import type { Usage } from '../../core/model/terms.ts'

/** The fields of Anthropic's stop reason. */
export type StopReason = Pick<Anthropic.Message, 'stop_reason' | 'stop_sequence' | 'stop_details'>

/** The stop reason of a finished choice; `isRefusal` if its content is a refusal. */
export function stopReasonOf(choice: Choice, call: Call, isRefusal: boolean): StopReason {
  const { finish_reason: reason } = choice
  if (isRefusal || reason === 'content_filter') {
    const stop_details = { type: 'refusal', category: null, explanation: null } as const
    return { stop_reason: 'refusal', stop_sequence: null, stop_details }
  }
  const matched = reason === 'stop' ? matchedStop(choice, call) : undefined
  if (matched !== undefined) {
    return { stop_reason: 'stop_sequence', stop_sequence: matched, stop_details: null }
  }
  return { stop_reason: stopReasons[reason ?? 'stop'], stop_sequence: null, stop_details: null }
}

/** Anthropic's usage, which counts cached and newly cached prompt tokens separately. */
export function messageUsage(usage: Usage): Anthropic.Usage {
  const { promptTokens, cachedTokens, completionTokens } = consumptionOf(usage, undefined)
  const writtenTokens = Math.min(
    countIn(usage['prompt_tokens_details'], 'cache_write_tokens') ?? 0,
    promptTokens - cachedTokens,
  )
  const thinkingTokens = countIn(usage['completion_tokens_details'], 'reasoning_tokens')
  return {
    input_tokens: promptTokens - cachedTokens - writtenTokens,
    cache_creation_input_tokens: writtenTokens,
    cache_read_input_tokens: cachedTokens,
    output_tokens: completionTokens,
    output_tokens_details: thinkingTokens === undefined ? null : { thinking_tokens: thinkingTokens },
    cache_creation: null,
    inference_geo: null,
    server_tool_use: null,
    service_tier: null,
    speed: null,
  }
}

const stopReasons = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  function_call: 'tool_use',
  content_filter: 'refusal',
} as const satisfies Record<FinishReason, Anthropic.StopReason>

/** The matched stop string: vLLM reports it in `stop_reason`, SGLang in `matched_stop`. Token ids are ignored. */
function matchedStop(
  { stop_reason: one, matched_stop: other }: Choice,
  { body: { value: body } }: Call,
): string | undefined {
  const given = body['stop']
  const stops: readonly unknown[] = Array.isArray(given) ? given : [given]
  return [one, other].find((word) => typeof word === 'string' && stops.includes(word)) as string | undefined
}

function countIn(details: unknown, key: string): number | undefined {
  const count = isObject(details) ? details[key] : undefined
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : undefined
}
