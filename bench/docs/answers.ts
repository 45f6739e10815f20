import type { JsonObject } from '../../src/core/model/json/json.ts'

/** What an upstream may say in an answer, each beside the least that it says in any. */
export const said: Readonly<Record<string, Said>> = {
  'finish_reason: length': { choice: { finish_reason: 'length' } },
  'finish_reason: content_filter': { choice: { finish_reason: 'content_filter' } },
  reasoning_content: { message: { reasoning_content: 'T' } },
  refusal: { message: { refusal: 'R', content: null } },
  tool_calls: {
    message: {
      content: null,
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
    },
    choice: { finish_reason: 'tool_calls' },
  },
  logprobs: {
    choice: { logprobs: { content: [{ token: 'A', logprob: -1, bytes: [65], top_logprobs: [] }] } },
  },
  'usage.prompt_tokens_details': { usage: { prompt_tokens_details: { cached_tokens: 2 } } },
  'usage.completion_tokens_details': { usage: { completion_tokens_details: { reasoning_tokens: 1 } } },
  system_fingerprint: { reply: { system_fingerprint: 'fp' } },
  service_tier: { reply: { service_tier: 'flex' } },
  'any other member of the reply': { reply: { x_unknown: 1 } },
  'any other member of the message': { message: { x_unknown: 1 } },
}

/** What is added to each part of a reply. */
export type Said = {
  readonly reply?: JsonObject
  readonly choice?: JsonObject
  readonly message?: JsonObject
  readonly usage?: JsonObject
}

/** A reply of a chat that says this much. */
export function chatReply({ reply, choice, message, usage }: Said): JsonObject {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'm',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'A', ...message },
        finish_reason: 'stop',
        ...choice,
      },
    ],
    usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4, ...usage },
    ...reply,
  }
}

/** A reply of a text that says this much; what is said in a message has no place there. */
export function textReply({ reply, choice: given, message, usage }: Said): JsonObject {
  const choice = message === undefined ? given : {}
  return {
    id: 'cmpl-1',
    object: 'text_completion',
    created: 1_700_000_000,
    model: 'm',
    choices: [{ index: 0, text: 'A', logprobs: null, finish_reason: 'stop', ...choice }],
    usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4, ...usage },
    ...reply,
  }
}

/** Where in an answer, and what: the leaves that are there because of what was said. Ids and dates tell nothing. */
export function differences(answer: unknown, usual: unknown): Readonly<Record<string, unknown>> {
  const before = new Map(leavesOf(usual, ''))
  const changed = leavesOf(answer, '').filter(
    ([path, value]) => !(before.has(path) && before.get(path) === value),
  )
  return Object.fromEntries(changed)
}

type Leaf = readonly [path: string, value: unknown]

function leavesOf(value: unknown, path: string): readonly Leaf[] {
  if (typeof value !== 'object' || value === null) return [[path, value]]
  if (Array.isArray(value)) return value.flatMap((each, at) => leavesOf(each, `${path}[${at}]`))
  return Object.entries(value).flatMap(([name, each]) =>
    isFleeting(name, each) ? [] : leavesOf(each, path === '' ? name : `${path}.${name}`),
  )
}

function isFleeting(name: string, value: unknown): boolean {
  return ['created_at', 'completed_at'].includes(name) || (name === 'id' && value !== 'call_1')
}
