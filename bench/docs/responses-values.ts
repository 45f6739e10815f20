import type { JsonObject } from '../../src/core/model/json/json.ts'
import { one, schema, type Value, type Values } from './value.ts'

const responseTool = { type: 'function', name: 'f', parameters: schema }
const responseTools: JsonObject = { tools: [responseTool] }

/** Of a response. */
export const responsesValues: Values = {
  input: [
    items('message', { role: 'user', content: [{ type: 'input_text', text: 'Ho' }] }),
    items('input_image', {
      role: 'user',
      content: [{ type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' }],
    }),
    items('input_file', {
      role: 'user',
      content: [{ type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' }],
    }),
    items(
      'function_call and its output',
      { role: 'user', content: 'Hi' },
      { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: '7' },
    ),
    items(
      'custom_tool_call and its output',
      { role: 'user', content: 'Hi' },
      { type: 'custom_tool_call', call_id: 'c1', name: 'c', input: 'x' },
      { type: 'custom_tool_call_output', call_id: 'c1', output: '7' },
    ),
    items(
      'reasoning',
      { role: 'user', content: 'Hi' },
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'T' }] },
      { role: 'assistant', content: 'A' },
      { role: 'user', content: 'Hi' },
    ),
    items('item_reference that is not kept', { type: 'item_reference', id: 'msg_none' }),
    items('any other type', { role: 'user', content: 'Hi' }, { type: 'web_search_call', id: 'ws_1' }),
  ],
  instructions: one('Be brief.'),
  previous_response_id: [{ value: 'resp_none', label: 'previous_response_id that is not kept' }],
  tools: [
    { value: [responseTool], label: 'tools: function' },
    { value: [{ type: 'custom', name: 'c' }], label: 'tools: custom' },
    {
      value: [{ type: 'namespace', name: 'ns', tools: [responseTool] }],
      label: 'tools: namespace',
    },
    { value: [responseTool, { type: 'web_search' }], label: 'tools: any other type', beside: responseTools },
  ],
  tool_choice: [
    { value: 'required', beside: responseTools },
    { value: { type: 'function', name: 'f' }, label: 'tool_choice: function', beside: responseTools },
    {
      value: { type: 'web_search' },
      label: 'tool_choice: a tool that is not passed on',
      beside: responseTools,
    },
    {
      value: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'f' }] },
      label: 'tool_choice: allowed_tools',
      beside: responseTools,
    },
  ],
  parallel_tool_calls: [
    { value: false, label: 'parallel_tool_calls, beside tools', beside: responseTools },
    { value: false, label: 'parallel_tool_calls, without tools' },
  ],
  text: [
    { value: { format: { type: 'json_object' } }, label: 'text.format: json_object' },
    { value: { format: { type: 'json_schema', name: 's', schema } }, label: 'text.format: json_schema' },
    { value: { verbosity: 'low' }, label: 'text.verbosity' },
  ],
  reasoning: [
    { value: { effort: 'low' }, label: 'reasoning.effort' },
    { value: { summary: 'auto' }, label: 'reasoning.summary' },
    { value: { context: 'x' }, label: 'reasoning: anything else' },
  ],
  max_output_tokens: one(20),
  max_tool_calls: one(2),
  temperature: one(0.5),
  top_p: one(0.5),
  top_logprobs: one(2),
  stream: one(true),
  stream_options: [{ value: { include_obfuscation: false }, beside: { stream: true } }],
  store: one(false),
  background: one(true),
  include: [
    { value: ['message.output_text.logprobs'], label: 'include: message.output_text.logprobs' },
    { value: ['reasoning.encrypted_content'], label: 'include: anything else' },
  ],
  metadata: one({ a: 'b' }),
  truncation: [{ value: 'auto', label: 'truncation: auto' }],
  user: one('u'),
  safety_identifier: one('s'),
  prompt_cache_key: one('k'),
  prompt_cache_options: one({ a: 1 }),
  prompt_cache_retention: one('24h'),
  service_tier: one('auto'),
  n: one(1),
  access_programs: one({ a: 1 }),
  client_metadata: one({ a: 'b' }),
  context_management: one([{ a: 1 }]),
  image: one({ a: 1 }),
  moderation: one({ a: 1 }),
  conversation: one('conv_1'),
  prompt: one({ id: 'pmpt_1' }),
}

function items(what: string, ...value: readonly JsonObject[]): Value {
  return { value, label: `input: ${what}` }
}
