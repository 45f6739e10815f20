import type { Answer, Bursts } from './attempt.ts'
import { Failure } from './failure.ts'
import { isObject, type JsonObject } from './json.ts'
import type { Call, Choice, Delta } from './model.ts'
import type { Deployment } from './ports.ts'
import { familyOf, flatten } from './template.ts'

/**
 * True when an answer to this call can be asked for from its middle on. A call to a tool, an answer by a schema,
 * several choices and logprobs cannot: what was said of them is not all that is needed to go on.
 */
export function isContinuable({ kind, stream, body }: Call): boolean {
  if (!stream || Number(body['n'] ?? 1) > 1 || (body['logprobs'] ?? false) !== false) return false
  if (kind === 'chat') return isPlainFormat(body['response_format']) && !isToolForced(body['tool_choice'])
  if (typeof body['prompt'] !== 'string' || Number(body['best_of'] ?? 1) > 1) return false
  return body['echo'] !== true && (body['suffix'] ?? '') === ''
}

/**
 * The call for the rest of an answer of which `said` was said in so many tokens, as this deployment takes it: with
 * the beginning as the assistant's own, or as one prompt by the template of the model's family. Undefined where it
 * takes neither.
 */
export function restOf(
  call: Call,
  said: string,
  saidTokens: number,
  deployment: Deployment,
): Call | undefined {
  const { upstream, upstreamModel = call.model } = deployment
  const body = withTokensLeft(call.body, saidTokens)
  if (call.kind === 'text') {
    return { ...call, body: { ...body, prompt: String(body['prompt']) + said }, source: undefined }
  }
  const { messages: given } = body
  if (!Array.isArray(given)) return undefined
  const messages: readonly unknown[] = [...given, { role: 'assistant', content: said }]
  if (upstream.takesPrefix === true) {
    return { ...call, body: { ...body, messages }, source: undefined, continues: true }
  }
  return flattened({ ...call, body }, messages, upstreamModel)
}

/** The answer to a text call as the chat that it stands for; any other as it is. */
export function asAsked(answer: Answer, asked: Call, call: Call): Answer {
  return asked.kind === call.kind ? answer : { ...answer, bursts: spoken(answer.bursts) }
}

function isPlainFormat(format: unknown): boolean {
  return !isObject(format) || format['type'] === 'text'
}

function isToolForced(choice: unknown): boolean {
  return choice === 'required' || isObject(choice)
}

function withTokensLeft(body: JsonObject, saidTokens: number): JsonObject {
  const left: JsonObject = { ...body }
  for (const field of ['max_tokens', 'max_completion_tokens']) {
    const most = body[field]
    if (typeof most === 'number') left[field] = Math.max(1, most - saidTokens)
  }
  return left
}

/** Without tools, which a prompt cannot offer; undefined for a family that nobody knows the template of. */
function flattened(call: Call, messages: readonly unknown[], model: string): Call | undefined {
  const family = familyOf(model)
  const { tools } = call.body
  if (family === 'raw' || (Array.isArray(tools) && tools.length > 0)) return undefined
  const flat = flatPrompt(messages, family)
  if (flat === undefined) return undefined
  const { stop: given, max_tokens: older, max_completion_tokens: newer } = call.body
  const stop = [...new Set([given ?? [], flat.stop].flat())]
  if (stop.length > mostStops) return undefined
  const kept = Object.entries(call.body).filter(([field]) => !chatFields.has(field))
  const most = newer ?? older
  const body: JsonObject = { ...Object.fromEntries(kept), prompt: flat.prompt, stop }
  if (typeof most === 'number') body['max_tokens'] = most
  return { ...call, kind: 'text', body, source: undefined }
}

/** What a chat has and a text has not. */
const chatFields: ReadonlySet<string> = new Set([
  ...['messages', 'tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call'],
  ...[
    'response_format',
    'max_completion_tokens',
    'top_logprobs',
    'logprobs',
    'reasoning_effort',
    'modalities',
  ],
])

/** OpenAI's own bound, which others share. */
const mostStops = 4

function flatPrompt(
  messages: readonly unknown[],
  family: ReturnType<typeof familyOf>,
): ReturnType<typeof flatten> | undefined {
  try {
    return flatten(messages, { family })
  } catch (thrown) {
    // Images and the results of tools have no place in a prompt.
    if (thrown instanceof Failure) return undefined
    throw thrown
  }
}

async function* spoken(bursts: Bursts): AsyncGenerator<readonly Delta[], undefined, undefined> {
  for await (const burst of bursts) yield burst.map(spokenDelta)
  return undefined
}

function spokenDelta({ chunk }: Delta): Delta {
  const choices = chunk.choices.map(({ text, ...choice }): Choice => {
    return { ...choice, delta: text === undefined || text === '' ? {} : { content: text } }
  })
  return { chunk: { ...chunk, object: 'chat.completion.chunk', choices }, source: undefined }
}
