import { chatToText, takesKind } from '../adapt/convert-kind.ts'
import { familyOf } from '../adapt/template.ts'
import type { Call } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { isObject, type JsonObject, numberOf, spell } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'
import type { Deployment } from '../model/ports.ts'

/**
 * True when an answer to this call can be continued from its middle. Tool calls, structured output, several choices and
 * logprobs cannot: the text so far is not enough to continue.
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
 * The call for the rest of an answer, after `written`, which has `writtenTokens` tokens. Undefined if it cannot be
 * requested. A text continues as a longer prompt; a chat if the beginning can be an assistant message, or if the whole
 * chat can become a prompt by the model family's template.
 */
export function remainingCall(
  call: Call,
  written: string,
  writtenTokens: number,
  deployment: Deployment,
): Call | undefined {
  const { upstream } = deployment
  const body = withTokensLeft(call.body.value, writtenTokens)
  if (call.kind === 'text') {
    if (!takesKind(upstream, 'text')) return undefined
    return { ...call, body: JsonText.of({ ...body, prompt: spell(body['prompt']) + written }) }
  }
  const { messages } = body
  if (!Array.isArray(messages)) return undefined
  const begun = { ...body, messages: withAnswer(messages, written) }
  const rest: Call = { ...call, body: JsonText.of(begun), continues: true }
  const takesPrefix = upstream.takesPrefix === true && takesKind(upstream, 'chat')
  return takesPrefix || isFlattened(rest, deployment) ? rest : undefined
}

/** Structured-output fields of vLLM, SGLang, llama.cpp and others: such output would start over in the middle. */
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

/** The beginning as an assistant message; appended to the caller's own prefill, if there is one. */
function withAnswer(messages: readonly unknown[], written: string): readonly unknown[] {
  const last = messages.at(-1)
  if (isObject(last) && last['role'] === 'assistant' && typeof last['content'] === 'string') {
    return [...messages.slice(0, -1), { ...last, content: last['content'] + written }]
  }
  return [...messages, { role: 'assistant', content: written }]
}

/** How many tokens the rest may have; undefined if there is no bound. */
export function tokensLeft({ body: { value: body } }: Call, writtenTokens: number): number | undefined {
  const bounds = [body['max_tokens'], body['max_completion_tokens']].filter(
    (most) => typeof most === 'number',
  )
  return bounds.length === 0 ? undefined : Math.min(...bounds) - writtenTokens
}

function withTokensLeft(body: JsonObject, writtenTokens: number): JsonObject {
  const left: JsonObject = { ...body }
  for (const field of ['max_tokens', 'max_completion_tokens']) {
    const most = body[field]
    if (typeof most === 'number') left[field] = Math.max(1, most - writtenTokens)
  }
  return left
}

/** Whether the chat becomes a prompt there: without tools, which a prompt cannot offer, and with a known template. */
function isFlattened(rest: Call, { upstream, upstreamModel = rest.model }: Deployment): boolean {
  const { tools } = rest.body.value
  if (!takesKind(upstream, 'text') || familyOf(upstreamModel) === 'raw') return false
  if (Array.isArray(tools) && tools.length > 0) return false
  try {
    chatToText(rest, upstreamModel, upstream.name)
    return true
  } catch (thrown) {
    // Images and tool results cannot be part of a prompt.
    if (thrown instanceof Failure) return false
    throw thrown
  }
}
