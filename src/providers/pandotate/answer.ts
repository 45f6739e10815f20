import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { Said } from '../prompt/prompt-answer.ts'

/**
 * What Pandotate's answer says, `{"model", "output", "tokens", "completion_tokens", ...}`. What it has beyond that
 * stays, as further fields of the reply.
 */
export function readPandotateAnswer(answer: JsonObject): Said {
  const { model, output, tokens, completion_tokens: told, usage, finish_reason: finish, ...rest } = answer
  // None of these can stand for something else in OpenAI's shape.
  const { error: _error, object: _object, choices: _choices, ...extra } = rest
  return {
    text: output,
    finish: typeof finish === 'string' ? finish : undefined,
    model,
    extra,
    ...countsOf(usage, tokens, told),
  }
}

type Counts = Pick<Said, 'promptTokens' | 'completionTokens' | 'usageDetails'>

/** `usage` where it has counts; otherwise the two beside the output. One of those alone could be a total. */
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
