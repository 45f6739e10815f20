import { describe, expect, test } from 'vitest'
import { call, called, delta, ended, lastOf, said, streamed, tools, whole } from './said.ts'

describe('an answer that is whole', () => {
  const toolCall = { id: 'call_0', type: 'function', function: { name: 'weather', arguments: '{"a":1}' } }

  test('is what the stream comes to', () => {
    const message = { reasoning_content: 'Hm.', content: 'Wait.', tool_calls: [toolCall] }
    const events = streamed([
      delta({ reasoning_content: 'Hm.' }),
      said('Wait.'),
      called(call(0, '{"a"', 'weather')),
      called(call(0, ':1}')),
      ended('tool_calls'),
    ])
    expect({ ...whole(message, 'tool_calls'), created_at: 0 }).toEqual({ ...lastOf(events), created_at: 0 })
  })

  test('repeats what was asked', () => {
    const asked = {
      instructions: 'Be brief.',
      temperature: 0.5,
      top_p: 0.9,
      max_output_tokens: 99,
      metadata: { topic: 'x' },
      parallel_tool_calls: false,
      tool_choice: 'auto',
      truncation: 'auto',
      store: false,
      text: { verbosity: 'low' },
      reasoning: { effort: 'low' },
      user: 'u',
      safety_identifier: 's',
      prompt_cache_key: 'k',
    }
    expect(whole({ content: 'x' }, 'stop', asked)).toMatchObject({
      ...asked,
      text: { verbosity: 'low', format: { type: 'text' } },
      reasoning: { effort: 'low', summary: null },
      tools: [
        { type: 'function', name: 'weather', description: null, parameters: null, strict: null },
        tools[1],
      ],
    })
  })

  test('has every key where nothing was asked', () => {
    expect(whole({ content: 'x' }, 'stop')).toMatchObject({
      background: false,
      error: null,
      incomplete_details: null,
      instructions: null,
      max_output_tokens: null,
      max_tool_calls: null,
      metadata: {},
      parallel_tool_calls: true,
      previous_response_id: null,
      prompt_cache_key: null,
      reasoning: { effort: null, summary: null },
      safety_identifier: null,
      service_tier: 'default',
      store: true,
      temperature: 1,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      top_logprobs: 0,
      top_p: 1,
      truncation: 'disabled',
    })
  })

  test('has marked what was cut short', () => {
    const cut = { ...toolCall, function: { name: 'weather', arguments: '{"a"' } }
    expect(whole({ content: 'Wait.', tool_calls: [toolCall, cut] }, 'length')['output']).toMatchObject([
      { type: 'message' },
      { status: 'completed', arguments: '{"a":1}' },
      { status: 'incomplete', arguments: '{"a"' },
    ])
  })
})
