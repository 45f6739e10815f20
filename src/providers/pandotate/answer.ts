import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { Said } from '../prompt/prompt-answer.ts'

/**
 * Reads Pandotate's answer, `{"model", "output", "tokens", "completion_tokens", ...}`. Other fields are kept as fields
 * of the reply.
 */
export function readPandotateAnswer(answer: JsonObject): Said {
  const { model, output, tokens, completion_tokens: told, usage, finish_reason: finish, ...rest } = answer
  // These would be mistaken for OpenAI's own fields.
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

/** From `usage` if it has counts; otherwise from both fields beside the output. One of those alone could be a total. */
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
