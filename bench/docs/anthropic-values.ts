import type { JsonObject } from '../../src/core/model/json/json.ts'
import { one, said, schema, user, type Value, type Values } from './value.ts'

const ownTool = { name: 'f', input_schema: schema }
const base64 = { type: 'base64', media_type: 'image/png', data: 'aGk=' }

/** Of a message of Anthropic's. */
export const anthropicValues: Values = {
  system: one('Be brief.'),
  messages: [
    blocks('text', { type: 'text', text: 'Ho' }),
    blocks('cache_control', { type: 'text', text: 'Ho', cache_control: { type: 'ephemeral' } }),
    blocks('image', { type: 'image', source: base64 }),
    blocks('document', { type: 'document', source: { ...base64, media_type: 'application/pdf' } }),
    blocks('search_result', {
      type: 'search_result',
      title: 'T',
      source: 'S',
      content: [{ type: 'text', text: 'C' }],
    }),
    said('thinking', user, {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'T', signature: 's' },
        { type: 'text', text: 'A' },
      ],
    }),
    said('redacted_thinking', user, {
      role: 'assistant',
      content: [
        { type: 'redacted_thinking', data: 'x' },
        { type: 'text', text: 'A' },
      ],
    }),
    said(
      'tool_use and tool_result',
      user,
      { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'f', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: '7', is_error: true }] },
    ),
    said('server_tool_use', user, {
      role: 'assistant',
      content: [
        { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} },
        { type: 'text', text: 'A' },
      ],
    }),
    blocks('of any other type', { type: 'x_unknown', a: 1 }),
    said('system', { role: 'system', content: 'Be brief.' }, user),
  ],
  max_tokens: one(7),
  tools: [
    { value: [ownTool], label: 'tools: with an input_schema' },
    {
      value: [ownTool, { type: 'web_search_20250305', name: 'web_search' }],
      label: 'tools: of Anthropic’s own',
      beside: { tools: [ownTool] },
    },
  ],
  tool_choice: [
    { value: { type: 'any' }, label: 'tool_choice: any', beside: { tools: [ownTool] } },
    { value: { type: 'tool', name: 'f' }, label: 'tool_choice: tool', beside: { tools: [ownTool] } },
    {
      value: { type: 'tool', name: 'g' },
      label: 'tool_choice: a tool that is not there',
      beside: { tools: [ownTool] },
    },
    {
      value: { type: 'auto', disable_parallel_tool_use: true },
      label: 'tool_choice.disable_parallel_tool_use',
      beside: { tools: [ownTool] },
    },
  ],
  stop_sequences: one(['END']),
  temperature: one(0.5),
  top_p: one(0.5),
  top_k: one(7),
  metadata: [
    { value: { user_id: 'u' }, label: 'metadata.user_id' },
    { value: { a: 'b' }, label: 'metadata: anything else' },
  ],
  thinking: [
    { value: { type: 'enabled', budget_tokens: 2048 }, label: 'thinking: enabled, below 4096 tokens' },
    { value: { type: 'enabled', budget_tokens: 8192 }, label: 'thinking: enabled, below 16384 tokens' },
    { value: { type: 'enabled', budget_tokens: 32_000 }, label: 'thinking: enabled, more' },
    { value: { type: 'adaptive' }, label: 'thinking: adaptive' },
    { value: { type: 'disabled' }, label: 'thinking: disabled' },
  ],
  output_config: [
    { value: { effort: 'max' }, label: 'output_config.effort' },
    { value: { format: { type: 'json_schema', schema } }, label: 'output_config.format' },
  ],
  stream: one(true),
  n: one(1),
  cache_control: one({ type: 'ephemeral' }),
  container: one('c'),
  context_management: one({ edits: [] }),
  diagnostics: one({ a: 1 }),
  inference_geo: one('us'),
  mcp_servers: one([{ type: 'url', url: 'https://example.com', name: 'm' }]),
  service_tier: one('auto'),
  speed: one('fast'),
  user_profile_id: one('p'),
  workspace_id: one('w'),
}

function blocks(type: string, block: JsonObject): Value {
  return said(type, { role: 'user', content: [block] })
}
