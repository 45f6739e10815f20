import { describe, expect, test } from 'vitest'
import type { Delta, FinishReason } from '../../../src/core/model/call.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { usage } from '../requests.ts'
import { call, called, delta, type Event, ended, eventsIn, lastOf, open, said, streamed } from './said.ts'

const short = (events: readonly Event[]) => events.map(({ type }) => type.replace('response.', ''))

/** Where each event of a call belongs. */
const placed = (events: readonly Event[]) =>
  events
    .filter((event) => 'output_index' in event)
    .map(({ type, output_index: index }) => `${index} ${type.replace('response.', '')}`)

const callEvents = (index: number, deltas: number) => [
  `${index} output_item.added`,
  ...Array<string>(deltas).fill(`${index} function_call_arguments.delta`),
  `${index} function_call_arguments.done`,
  `${index} output_item.done`,
]

describe('a stream', () => {
  test('numbers every event from 0', () => {
    const events = streamed([said('one'), said(' two'), ended('stop')])
    expect(events.map(({ sequence_number: number }) => number)).toEqual([...events.keys()])
  })

  test('keeps no more of an answer than one may hold: past that it fails', () => {
    const piece = 'x'.repeat(1024 * 1024)
    const encoder = open()
    const writing = () => {
      for (let time = 0; time < 17; time++) encoder.encode([said(piece)])
    }
    expect(writing).toThrow(Failure)
    expect(writing).toThrow("The upstream's answer exceeds the size limit of a response.")
  })

  test('has no more tool calls than it may hold, either', () => {
    const encoder = open()
    const calls = () => {
      for (let index = 0; index < 10_002; index++)
        encoder.encode([called({ index, id: `c${index}`, function: { name: 'f', arguments: '{' } })])
    }
    expect(calls).toThrow('exceeds the size limit of a response')
  })

  test.for([0, 1])(
    'that reports its progress after %i pieces is begun once, and numbered without a gap',
    (place) => {
      const pieces = [said('one'), said(' two'), ended('stop')]
      const encoder = open()
      let frames = ''
      for (const [at, piece] of pieces.entries()) {
        if (at === place) frames += (encoder.idle?.(0) ?? '') + encoder.idle?.(0)
        frames += encoder.encode([piece])
      }
      const events = eventsIn(frames + encoder.end(usage))
      expect(events.map(({ sequence_number: number }) => number)).toEqual([...events.keys()])
      const names = short(events)
      expect(names.slice(0, 2)).toEqual(['created', 'in_progress'])
      expect(names.filter((name) => name === 'created')).toHaveLength(1)
      expect(names.filter((name) => name === 'in_progress')).toHaveLength(place + 2)
      const others = (name: string) => name !== 'in_progress'
      expect(names.filter(others)).toEqual(short(streamed(pieces)).filter(others))
      for (const { type, response } of events) {
        if (type === 'response.in_progress') expect(response).toEqual(events[0]?.['response'])
      }
    },
  )

  test('is one response from its first event to its last', () => {
    const events = streamed([said('one'), ended('stop')])
    const [first] = events
    const begun = first?.['response'] as JsonObject
    expect(begun).toMatchObject({ status: 'in_progress', output: [], usage: null, completed_at: null })
    expect(lastOf(events)).toEqual({
      ...begun,
      status: 'completed',
      completed_at: 1_700_000_001,
      output: [expect.objectContaining({ type: 'message', status: 'completed' })],
      usage: {
        input_tokens: 5,
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens: 2,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 7,
      },
    })
  })

  test('tells thoughts, words and a refusal apart', () => {
    const events = streamed([
      delta({ reasoning_content: 'Hm.' }),
      said('Well.'),
      delta({ refusal: 'No.' }),
      ended('stop'),
    ])
    expect(short(events).slice(2, -1)).toEqual([
      'output_item.added',
      'content_part.added',
      'reasoning_text.delta',
      'reasoning_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'content_part.added',
      'refusal.delta',
      'refusal.done',
      'content_part.done',
      'output_item.done',
    ])
    expect(lastOf(events)['output']).toMatchObject([
      { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'Hm.' }] },
      {
        content: [
          { type: 'output_text', text: 'Well.' },
          { type: 'refusal', refusal: 'No.' },
        ],
      },
    ])
  })

  test('tells thoughts where a summary would stand, if the caller requested one', () => {
    const events = streamed([delta({ reasoning_content: 'Hm.' }), said('Well.'), ended('stop')], {
      reasoning: { summary: 'auto' },
    })
    expect(short(events).slice(2, 8)).toEqual([
      'output_item.added',
      'reasoning_summary_part.added',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.done',
      'reasoning_summary_part.done',
      'output_item.done',
    ])
    const [thought] = lastOf(events)['output'] as JsonObject[]
    expect(thought?.['summary']).toEqual([{ type: 'summary_text', text: 'Hm.' }])
    expect(thought).not.toHaveProperty('content')
  })

  test('carries log probabilities with the words they are of', () => {
    const probability = (token: string) => ({ token, logprob: -1, bytes: null, top_logprobs: [] })
    const events = streamed([
      delta({ content: 'a' }, null, { logprobs: { content: [probability('a')] } }),
      delta({ content: 'b' }, 'stop', { logprobs: { content: [probability('b')] } }),
    ])
    const deltas = events.filter(({ type }) => type === 'response.output_text.delta')
    expect(deltas.map(({ logprobs }) => logprobs)).toEqual([[probability('a')], [probability('b')]])
    expect(lastOf(events)['output']).toMatchObject([
      { content: [{ text: 'ab', logprobs: [probability('a'), probability('b')] }] },
    ])
  })

  test.for<[string, readonly Delta[], readonly string[]]>([
    [
      'one after the other',
      [called(call(0, '', 'weather')), called(call(0, '{"a":1}')), called(call(1, '{}', 'weather'))],
      [...callEvents(0, 1), ...callEvents(1, 1)],
    ],
    [
      'mixed, which are still sent one after the other',
      [
        called(call(0, '{"a"', 'weather')),
        called(call(1, '{"b"', 'weather')),
        called(call(0, ':1}')),
        called(call(1, ':2}')),
      ],
      [...callEvents(0, 2), ...callEvents(1, 1).slice(0, 1), ...callEvents(1, 2).slice(1)],
    ],
    [
      'at once',
      [called(call(0, '{}', 'weather'), call(1, '{}', 'weather'))],
      [...callEvents(0, 1), ...callEvents(1, 1)],
    ],
    ['without arguments', [called(call(0, '', 'weather'))], callEvents(0, 0)],
    [
      'after words',
      [said('Wait.'), called(call(0, '{}', 'weather'))],
      [
        '0 output_item.added',
        '0 content_part.added',
        '0 output_text.delta',
        '0 output_text.done',
        '0 content_part.done',
        '0 output_item.done',
        ...callEvents(1, 1),
      ],
    ],
  ])('tells calls %s', ([, deltas, expected]) => {
    expect(placed(streamed([...deltas, ended('tool_calls')]))).toEqual(expected)
  })

  test('does not parse a call in many fragments again for each', () => {
    const encoder = open()
    encoder.encode([called(call(0, '{"a":"', 'weather'), call(1, '', 'weather'))])
    for (let piece = 0; piece < 40_000; piece++) encoder.encode([called(call(0, 'a word or two {} xx}'))])
    expect(short(eventsIn(encoder.encode([called(call(0, '"}'))])))).toEqual([
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'output_item.added',
    ])
  })

  test('waits for the name of what is called', () => {
    const nameless = { index: 0, id: 'call_0', type: 'function', function: { arguments: '{"a"' } }
    const named = { index: 0, function: { name: 'weather', arguments: ':1}' } }
    const events = streamed([called(nameless), called(named), ended('tool_calls')])
    expect(placed(events)).toEqual(callEvents(0, 1))
    expect(lastOf(events)['output']).toMatchObject([{ name: 'weather', arguments: '{"a":1}' }])
  })

  test('tells a custom tool’s input as one text', () => {
    const events = streamed([
      called(call(0, '{"in', 'patch')),
      called(call(0, 'put":"a \\"b\\""}')),
      ended('tool_calls'),
    ])
    expect(placed(events)).toEqual([
      '0 output_item.added',
      '0 custom_tool_call_input.delta',
      '0 custom_tool_call_input.done',
      '0 output_item.done',
    ])
    expect(events.find(({ type }) => type.endsWith('input.delta'))).toMatchObject({ delta: 'a "b"' })
    expect(lastOf(events)['output']).toMatchObject([
      { type: 'custom_tool_call', input: 'a "b"', call_id: 'call_0' },
    ])
  })

  test('takes a custom tool’s input as the model wrote it, when it is no argument', () => {
    const events = streamed([called(call(0, '*** Begin', 'patch')), ended('tool_calls')])
    expect(lastOf(events)['output']).toMatchObject([{ input: '*** Begin' }])
  })

  test.for<[FinishReason, string]>([
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
  ])('that ends with %s is incomplete', ([reason, why]) => {
    const events = streamed([said('one'), ended(reason)])
    expect(short(events).slice(-2)).toEqual(['output_item.done', 'incomplete'])
    expect(lastOf(events)).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: why },
      completed_at: null,
      output: [{ status: 'incomplete' }],
    })
  })

  test('never tells the end of a call that was cut short', () => {
    const events = streamed([called(call(0, '{"a"', 'weather')), ended('length')])
    expect(placed(events)).toEqual(['0 output_item.added', '0 function_call_arguments.delta'])
    expect(lastOf(events)['output']).toMatchObject([{ status: 'incomplete', arguments: '{"a"' }])
  })

  test.for<[string, Failure, object, object]>([
    [
      'the upstream’s',
      new Failure('interrupted', 'It ended.'),
      { code: 'server_error', message: 'It ended.' },
      { code: 'upstream_stream_interrupted', message: 'It ended.', param: null },
    ],
    [
      'the prompt’s length',
      new Failure('context_length', 'Too long.', { param: 'input' }),
      { code: 'context_length_exceeded', message: 'Too long.' },
      { code: 'context_length_exceeded', message: 'Too long.', param: 'input' },
    ],
    [
      'the rate’s',
      new Failure('rate_limited', 'Too fast.'),
      { code: 'rate_limit_exceeded', message: 'Too fast.' },
      { code: 'rate_limit_exceeded', message: 'Too fast.', param: null },
    ],
  ])('that breaks by fault of %s says so, and no more', ([, failure, error, raised]) => {
    const encoder = open()
    const frames = encoder.encode([said('one'), called(call(0, '{"a"', 'weather'))]) + encoder.fail(failure)
    const events = eventsIn(frames)
    expect(short(events).slice(-2)).toEqual(['failed', 'error'])
    expect(short(events)).not.toContain('completed')
    const [failed, last] = events.slice(-2)
    expect(failed?.['response']).toMatchObject({
      ...{ status: 'failed', error, usage: null },
      output: [
        { type: 'message', status: 'completed' },
        { type: 'function_call', status: 'incomplete' },
      ],
    })
    expect(last).toEqual({ type: 'error', sequence_number: events.length - 1, ...raised })
  })

  test('that breaks before its beginning still begins', () => {
    const events = eventsIn(open().fail(new Failure('interrupted', 'It ended.')))
    expect(short(events)).toEqual(['created', 'in_progress', 'failed', 'error'])
  })
})
