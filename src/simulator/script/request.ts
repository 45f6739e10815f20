import type { Call } from '../../core/model/call.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { countWords } from './answer.ts'
import type { ScriptRequest, Tool } from './script.ts'

/** The parts of a call that a script depends on. */
export function scriptRequest({ kind, body: { value: body } }: Call): Omit<ScriptRequest, 'failures'> {
  const common = { kind, maxTokens: maxTokensIn(body), stop: stopIn(body) }
  if (kind === 'text') return { ...common, ...promptIn(body) }
  const messages = messagesIn(body)
  const asked = messages.findLast(({ role }) => role === 'user') ?? messages.at(-1)
  return {
    ...common,
    prompt: textOf(asked?.['content']),
    promptTokens: messages.reduce((sum, { content }) => sum + countWords(textOf(content)), 0),
    // After a tool's result the model answers; otherwise an agent would loop forever.
    tool: messages.at(-1)?.['role'] === 'tool' ? undefined : toolIn(body),
  }
}

/** The prompt, if the completion echoes it; otherwise ''. */
export function echoedPrompt({ kind, body: { value: body } }: Call): string {
  return kind === 'text' && body['echo'] === true ? promptIn(body).prompt : ''
}

/** The fields that a simulated answer ignores, although a caller would notice it. */
export function ignoredFields({ body: { value: body } }: Call): readonly string[] {
  return ignored.filter((field) => Boolean(body[field]) && !asksForText(body[field]))
}

/** The number of alternatives per token; undefined: no logprobs. */
export function logprobsIn({ kind, body: { value: body } }: Call): number | undefined {
  const { logprobs, top_logprobs: top } = body
  if (kind === 'text') return wholeNumber(logprobs)
  return logprobs === true ? (wholeNumber(top) ?? 0) : undefined
}

/** True for the default, text. */
function asksForText(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((each) => each === 'text')
  return isObject(value) && value['type'] === 'text'
}

/** The maximum number of output tokens, under its newer or its older name. */
export function maxTokensIn({
  max_completion_tokens: newer,
  max_tokens: older,
}: JsonObject): number | undefined {
  return wholeNumber(newer) ?? wholeNumber(older)
}

/** The stop strings: a string or a list. */
export function stopIn({ stop }: JsonObject): readonly string[] {
  const list: readonly unknown[] = Array.isArray(stop) ? stop : [stop]
  return list.filter((word) => typeof word === 'string')
}

const ignored = ['suffix', 'response_format', 'modalities', 'audio']

function wholeNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined
}

/** Token ids are only counted; scripts do not need their text. */
function promptIn({ prompt }: JsonObject): { prompt: string; promptTokens: number } {
  if (Array.isArray(prompt)) return { prompt: `[${prompt.length} tokens]`, promptTokens: prompt.length }
  const text = typeof prompt === 'string' ? prompt : ''
  return { prompt: text, promptTokens: countWords(text) }
}

function messagesIn({ messages }: JsonObject): readonly JsonObject[] {
  return Array.isArray(messages) ? messages.filter(isObject) : []
}

/** The text of a message: a string, or its text parts, one per line. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  const texts = content.map((part: unknown) => (isObject(part) ? part['text'] : undefined))
  return texts.filter((text) => typeof text === 'string').join('\n')
}

/** The tool that `tool_choice` names, or else the first. */
function toolIn({ tools, tool_choice: choice }: JsonObject): Tool | undefined {
  if (!Array.isArray(tools) || choice === 'none') return undefined
  const given = tools.map(readTool).filter((tool) => tool !== undefined)
  const chosen = isObject(choice) && isObject(choice['function']) ? choice['function']['name'] : undefined
  return given.find(({ name }) => name === chosen) ?? given[0]
}

function readTool(tool: unknown): Tool | undefined {
  const described = isObject(tool) ? tool['function'] : undefined
  if (!isObject(described) || typeof described['name'] !== 'string') return undefined
  return { name: described['name'], parameters: described['parameters'] }
}
