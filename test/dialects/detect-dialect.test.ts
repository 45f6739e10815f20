import { expect, test } from 'vitest'
import type { JsonObject } from '../../src/core/model/json/json.ts'
import { dialectOf } from '../../src/dialects/detect-dialect.ts'

const messages = [{ role: 'user', content: 'Hi.' }]
const tool = { name: 'f', input_schema: { type: 'object' } }

test.for<[string, JsonObject]>([
  ['completions', { prompt: 'Hi.' }],
  ['completions', {}],
  ['completions', { messages: null, prompt: 'Hi.' }],
  ['chat', { messages }],
  ['chat', { messages, stop: ['x'], tools: [{ type: 'function', function: { name: 'f' } }] }],
  ['chat', { messages, thinking: { type: 'enabled' } }],
  ['chat', { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi.' }] }] }],
  ['chat', { messages: 'none' }],
  ['messages', { messages, system: 'Be brief.' }],
  ['messages', { messages, stop_sequences: ['x'] }],
  ['messages', { messages, output_config: { effort: 'low' } }],
  ['messages', { messages, tools: [tool] }],
  ['messages', { messages, tools: [{ type: 'web_search_20250305', name: 'web_search' }] }],
  ['messages', { messages, tool_choice: { type: 'any' } }],
  ['messages', { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a' }] }] }],
  ['messages', { messages: [{ role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm.' }] }] }],
  ['messages', { messages: [{ role: 'user', content: [{ type: 'image', source: {} }] }] }],
  ['embeddings', { input: 'Hi.' }],
  ['embeddings', { input: ['a', 'b'], dimensions: 4, encoding_format: 'base64', user: 'u' }],
  ['embeddings', { input: [[1, 2], [3]], provider: { sort: 'price' }, models: ['m'] }],
  ['embeddings', { input: 'Hi.', instructions: null }],
  ['responses', { input: 'Hi.', instructions: 'Be brief.' }],
  ['responses', { input: 'Hi.', max_output_tokens: 5 }],
  ['responses', { input: 'Hi.', stream: true }],
  ['responses', { input: [{ role: 'user', content: 'Hi.' }] }],
  ['responses', { previous_response_id: 'resp_1' }],
  ['rerank', { query: 'cats', documents: ['a'] }],
  ['rerank', { documents: [] }],
])('a body is of the dialect %s: %j', ([name, body]) => {
  expect(dialectOf({ model: 'm', ...body }, () => undefined)).toBe(name)
})

test('a client that says which version of Anthropic’s it speaks is taken at its word', () => {
  const headers = (name: string) => (name === 'anthropic-version' ? '2023-06-01' : undefined)
  expect(dialectOf({ model: 'm', messages }, headers)).toBe('messages')
  expect(dialectOf({ model: 'm', input: 'Hi.' }, headers)).toBe('embeddings')
})
