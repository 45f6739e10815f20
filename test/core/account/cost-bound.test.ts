import { expect, test } from 'vitest'
import { callersBound, promptBound } from '../../../src/core/account/cost-bound.ts'
import type { AnyCall } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'

const callOf = (body: JsonObject, kind: 'chat' | 'text' | 'rerank' = 'chat') =>
  ({ kind, model: 'm', body: JsonText.of(body) }) as unknown as AnyCall

const long = '7'.repeat(5000)
const messages = [{ role: 'user', content: 'Hello.' }]

test.for([
  ['a message', { messages: [{ role: 'user', content: long }] }],
  ['documents', { messages, documents: [{ title: 'one', text: long }] }],
  ['arguments of a template', { messages, chat_template_kwargs: { preamble: long } }],
  ['a schema of the answer', { messages, response_format: { json_schema: { description: long } } }],
  ['a tool', { messages, tools: [{ function: { name: 'f', description: long } }] }],
] as const)('a prompt has at most the tokens of its texts, also of %s', ([, body]) => {
  expect(promptBound(callOf(body))).toBeGreaterThanOrEqual(5000)
  expect(promptBound(callOf(body))).toBeLessThan(5200)
})

test('the text after a completion is part of its prompt', () => {
  expect(promptBound(callOf({ prompt: 'a', suffix: long }, 'text'))).toBeGreaterThanOrEqual(5000)
})

test('documents to rank count once, each with the query', () => {
  const bound = promptBound(callOf({ query: '77', documents: [long, '7'], model: long }, 'rerank'))
  expect(bound).toBeGreaterThanOrEqual(5005)
  expect(bound).toBeLessThan(5200)
})

test.for([
  [{ max_tokens: 7 }, 7],
  [{ max_completion_tokens: 7 }, 7],
  [{ max_tokens: 1, max_completion_tokens: 90 }, 90],
  [{ max_tokens: 90, max_completion_tokens: 1 }, 90],
  [{ max_tokens: null }, undefined],
] as const)('of two bounds of an answer the larger counts: %j', ([body, expected]) => {
  expect(callersBound(callOf({ messages, ...body }))).toBe(expected)
})
