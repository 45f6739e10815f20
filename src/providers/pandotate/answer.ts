import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { PromptAnswer } from '../prompt/prompt-answer.ts'

/**
 * Reads Pandotate's answer, `{"model", "output", "tokens", "completion_tokens", ...}`. Other fields are kept in the
 * reply.
 */
export function readPandotateAnswer(answer: JsonObject): PromptAnswer {
  const {
    model,
    output,
    tokens,
    completion_tokens: completion,
    usage,
    finish_reason: finish,
    ...rest
  } = answer
  // Clients would mistake these for OpenAI's fields.
  const { error: _error, object: _object, choices: _choices, ...extra } = rest
  return {
    text: output,
    finish: typeof finish === 'string' ? finish : undefined,
    model,
    extra,
    ...countsOf(usage, tokens, completion),
  }
}

type Counts = Pick<PromptAnswer, 'promptTokens' | 'completionTokens' | 'usageDetails'>

/**
 * Counts from `usage`, or else from `tokens` and `completion_tokens`. `tokens` alone is not used: it may be a total.
 */
function countsOf(usage: unknown, tokens: unknown, completionTokens: unknown): Counts {
  if (isObject(usage)) {
    const { prompt_tokens: prompt, completion_tokens: completion, ...usageDetails } = usage
    if (typeof prompt === 'number' || typeof completion === 'number') {
      return { promptTokens: prompt, completionTokens: completion, usageDetails }
    }
  }
  const isPair = completionTokens !== undefined && completionTokens !== null
  return { promptTokens: isPair ? tokens : undefined, completionTokens }
}
