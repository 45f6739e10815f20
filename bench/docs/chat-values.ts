import type { JsonObject } from '../../src/core/model/json/json.ts'
import { sampling } from './text-values.ts'
import { one, said, schema, user, type Values } from './value.ts'

const functionTool = {
  type: 'function',
  function: { name: 'f', parameters: { type: 'object', properties: {} } },
}
const customTool = { type: 'custom', custom: { name: 'c' } }
const withTools: JsonObject = { tools: [functionTool] }
/** Of a chat. */
export const chatValues: Values = {
  ...sampling,
  messages: [
    said('developer', { role: 'developer', content: 'Be brief.' }, user),
    said('name', { ...user, name: 'Ann' }),
    said('text parts', { role: 'user', content: [{ type: 'text', text: 'Hi' }] }),
    said('image_url parts', {
      role: 'user',
      content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }],
    }),
    said('reasoning_content', user, { role: 'assistant', content: 'A', reasoning_content: 'T' }, user),
    said(
      'tool_calls and their results',
      user,
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: '7' },
    ),
    said(
      'arguments as an object, and null as a result',
      user,
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: { a: 1 } } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: null },
    ),
    said('an assistant’s at the end', user, { role: 'assistant', content: 'Be' }),
  ],
  max_completion_tokens: one(7),
  logprobs: one(true),
  top_logprobs: [{ value: 2, beside: { logprobs: true } }],
  tools: [
    { value: [functionTool], label: 'tools: functions' },
    { value: [customTool], label: 'tools: custom' },
    { value: [functionTool], label: 'tools, beside tool_choice: "none"', beside: { tool_choice: 'none' } },
  ],
  tool_choice: [
    { value: 'required', beside: withTools },
    {
      value: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'f' } }] },
      },
      label: 'tool_choice: allowed_tools',
      beside: withTools,
    },
  ],
  parallel_tool_calls: [{ value: false, beside: withTools }],
  functions: one([{ name: 'f' }]),
  function_call: [{ value: 'auto', beside: { functions: [{ name: 'f' }] } }],
  response_format: [
    { value: { type: 'text' }, label: 'response_format: text' },
    { value: { type: 'json_object' }, label: 'response_format: json_object' },
    {
      value: { type: 'json_schema', json_schema: { name: 's', schema } },
      label: 'response_format: json_schema',
    },
  ],
  reasoning_effort: one('low'),
  verbosity: one('low'),
  service_tier: one('auto'),
  modalities: [
    { value: ['text'], label: 'modalities: text' },
    {
      value: ['text', 'audio'],
      label: 'modalities: audio',
      beside: { audio: { voice: 'alloy', format: 'wav' } },
    },
  ],
  audio: one({ voice: 'alloy', format: 'wav' }),
  prediction: one({ type: 'content', content: 'x' }),
  web_search_options: one({}),
  metadata: one({ a: 'b' }),
  store: one(true),
  safety_identifier: one('s'),
  prompt_cache_key: one('k'),
  prompt_cache_options: one({ a: 1 }),
  prompt_cache_retention: one('24h'),
  moderation: one({ a: 1 }),
}
