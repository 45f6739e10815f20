import { chatToText, takesKind } from '../adapt/convert-kind.ts'
import { familyOf } from '../adapt/template.ts'
import type { Call } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { isObject, type JsonObject, numberOf, spell } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'
import type { Deployment } from '../model/ports.ts'

/**
 * True when an answer to this call can be asked for from its middle on. A call to a tool, an answer by a schema,
 * several choices and logprobs cannot: what was said of them is not all that is needed to go on.
 */
export function isContinuable({ kind, stream, body: { value: body } }: Call): boolean {
  if (!stream || numberOf(body['n'] ?? 1) > 1 || (body['logprobs'] ?? false) !== false) return false
  if (!isPlainFormat(body['response_format']) || grammars.some((field) => (body[field] ?? null) !== null)) {
    return false
  }
  if (kind === 'chat') return !isToolForced(body['tool_choice'])
  if (typeof body['prompt'] !== 'string' || numberOf(body['best_of'] ?? 1) > 1) return false
  return body['echo'] !== true && (body['suffix'] ?? '') === ''
}

/**
 * The call for the rest of an answer of which `said` was said in so many tokens. Undefined where it cannot be asked
 * for: a text goes on as a longer prompt, a chat where the beginning can be the assistant's own, or all of it one
 * prompt by the template of the model's family.
 */
export function remainingCall(
  call: Call,
  said: string,
  saidTokens: number,
  deployment: Deployment,
): Call | undefined {
  const { upstream } = deployment
  const body = withTokensLeft(call.body.value, saidTokens)
  if (call.kind === 'text') {
    if (!takesKind(upstream, 'text')) return undefined
    return { ...call, body: JsonText.of({ ...body, prompt: spell(body['prompt']) + said }) }
  }
  const { messages } = body
  if (!Array.isArray(messages)) return undefined
  const begun = { ...body, messages: withAnswer(messages, said) }
  const rest: Call = { ...call, body: JsonText.of(begun), continues: true }
  const takesPrefix = upstream.takesPrefix === true && takesKind(upstream, 'chat')
  return takesPrefix || isFlattened(rest, deployment) ? rest : undefined
}

/** The fields of vLLM, SGLang, llama.cpp and others for answers of a form, which would start over in the middle. */
const grammars = [
  ...['guided_json', 'guided_regex', 'guided_choice', 'guided_grammar', 'structured_outputs'],
  ...['grammar', 'json_schema', 'regex', 'ebnf'],
]

function isPlainFormat(format: unknown): boolean {
  return !isObject(format) || format['type'] === 'text'
}

function isToolForced(choice: unknown): boolean {
  return choice === 'required' || isObject(choice)
}

/** The beginning as the assistant's: more of the message that the caller themselves began, where they did. */
function withAnswer(messages: readonly unknown[], said: string): readonly unknown[] {
  const last = messages.at(-1)
  if (isObject(last) && last['role'] === 'assistant' && typeof last['content'] === 'string') {
    return [...messages.slice(0, -1), { ...last, content: last['content'] + said }]
  }
  return [...messages, { role: 'assistant', content: said }]
}

/** How many tokens the rest may have; undefined where there is no bound. */
export function tokensLeft({ body: { value: body } }: Call, saidTokens: number): number | undefined {
  const bounds = [body['max_tokens'], body['max_completion_tokens']].filter(
    (most) => typeof most === 'number',
  )
  return bounds.length === 0 ? undefined : Math.min(...bounds) - saidTokens
}

function withTokensLeft(body: JsonObject, saidTokens: number): JsonObject {
  const left: JsonObject = { ...body }
  for (const field of ['max_tokens', 'max_completion_tokens']) {
    const most = body[field]
    if (typeof most === 'number') left[field] = Math.max(1, most - saidTokens)
  }
  return left
}

/** Whether it becomes a prompt there: without tools, which a prompt cannot offer, by a template that is known. */
function isFlattened(rest: Call, { upstream, upstreamModel = rest.model }: Deployment): boolean {
  const { tools } = rest.body.value
  if (!takesKind(upstream, 'text') || familyOf(upstreamModel) === 'raw') return false
  if (Array.isArray(tools) && tools.length > 0) return false
  try {
    chatToText(rest, upstreamModel, upstream.name)
    return true
  } catch (thrown) {
    // Images and the results of tools have no place in a prompt.
    if (thrown instanceof Failure) return false
    throw thrown
  }
}
