import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Choice, Delta, Message, ToolCall } from '../../../src/core/model/call.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { anthropic } from '../../../src/dialects/anthropic/anthropic.ts'
import type { StreamEncoder } from '../../../src/dialects/shared/dialect.ts'
import { chatDelta, incoming, usage } from '../requests.ts'

type Event = {
  type: string
  index?: number
  content_block?: { type: string; name?: string }
  delta?: { type?: string; text?: string; thinking?: string; partial_json?: string }
  [key: string]: unknown
}

const request = { model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'x' }] }
const call = anthropic.parse(incoming({ ...request, stop_sequences: ['END'] }))

const encoder = (): StreamEncoder => anthropic.encoder(call, () => ({ slow: false }))
const said = (delta: Message): Delta => chatDelta('', { choices: [{ index: 0, delta, finish_reason: null }] })
const ended = (reason: Choice['finish_reason'], more: object = {}): Delta =>
  chatDelta('', { choices: [{ index: 0, delta: {}, finish_reason: reason, ...more }] })
const fragment = (index: number, spelled: string, more: ToolCall = {}): Delta =>
  said({ tool_calls: [{ index, ...more, function: { ...more.function, arguments: spelled } }] })
const opened = (index: number, name = `tool${index}`): Delta =>
  fragment(index, '', { id: `t${index}`, type: 'function', function: { name } })

/** The events of some frames: each has its name, which is its type, and one line of JSON. */
function eventsOf(frames: string): Event[] {
  if (frames === '') return []
  expect(frames.endsWith('\n\n')).toBe(true)
  return frames
    .slice(0, -2)
    .split('\n\n')
    .map((one) => {
      const [, name, json = ''] = /^event: (\w+)\ndata: ([^\r\n]*)$/.exec(one) ?? []
      const event = JSON.parse(json)
      expect(event.type).toBe(name)
      return event
    })
}

function streamed(deltas: readonly Delta[]): Event[] {
  const stream = encoder()
  const frames = deltas.map((delta) => stream.encode([delta])).join('')
  return eventsOf(frames + stream.end(usage))
}

/** What happens in a block, in short: `0 text`, `0 +Hello`, `0 end`. */
function blocksIn(events: readonly Event[]): string[] {
  return events.flatMap(({ type, index, content_block: block, delta = {} }) => {
    if (type === 'content_block_start') {
      return [[index, block?.type, block?.name].join(' ').trim()]
    }
    if (type === 'content_block_stop') return [`${index} end`]
    if (type !== 'content_block_delta') return []
    if (delta.type === 'signature_delta') return [`${index} signed`]
    return [`${index} +${delta.text ?? delta.thinking ?? delta.partial_json}`]
  })
}

describe('A stream', () => {
  test('begins, holds one block, and tells how it ended', () => {
    const events = streamed([
      said({ role: 'assistant', content: '' }),
      said({ content: 'Hel' }),
      said({ content: 'lo' }),
      ended('stop'),
    ])
    expect(events.map(({ type }) => type)).toEqual([
      'message_start',
      'ping',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    expect(events[0]).toMatchObject({
      message: {
        id: 'msg_00000000000000000000000000000001',
        type: 'message',
        role: 'assistant',
        model: 'mistral-7b',
        content: [],
        stop_reason: null,
        usage: { input_tokens: 0, output_tokens: 0 },
      },
    })
    expect(events[2]).toEqual({
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'text', text: '', citations: null },
    })
    expect(events[3]).toEqual({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: 'Hel' },
    })
    expect(events[6]).toMatchObject({
      delta: { stop_reason: 'end_turn', stop_sequence: null, container: null, stop_details: null },
      usage: { input_tokens: 5, output_tokens: 2, cache_read_input_tokens: 0 },
    })
  })

  test('may hold nothing', () => {
    const events = streamed([ended('stop')])
    expect(events.map(({ type }) => type)).toEqual(['message_start', 'ping', 'message_delta', 'message_stop'])
  })

  test('writes nothing for an empty burst', () => {
    expect(encoder().encode([])).toBe('')
  })

  test.for<[Choice['finish_reason'], object, object]>([
    ['length', {}, { stop_reason: 'max_tokens' }],
    ['content_filter', {}, { stop_reason: 'refusal', stop_details: { type: 'refusal' } }],
    ['stop', { stop_reason: 'END' }, { stop_reason: 'stop_sequence', stop_sequence: 'END' }],
  ])('that ends with %s and %j says %j', ([reason, more, delta]) => {
    expect(streamed([said({ content: 'x' }), ended(reason, more)]).at(-2)).toMatchObject({ delta })
  })

  test('that refuses says so in words and in its reason', () => {
    const events = streamed([said({ refusal: 'I will ' }), said({ refusal: 'not.' }), ended('stop')])
    expect(blocksIn(events)).toEqual(['0 text', '0 +I will ', '0 +not.', '0 end'])
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'refusal' } })
  })

  test('that breaks ends with the error, and nothing is closed or told to have ended', () => {
    const stream = encoder()
    stream.encode([said({ content: 'Hel' })])
    expect(eventsOf(stream.fail(new Failure('interrupted', 'It broke.')))).toEqual([
      {
        type: 'error',
        error: { type: 'api_error', message: 'It broke.' },
        request_id: 'req_00000000000000000000000000000001',
      },
    ])
  })
})

describe('Blocks follow one another', () => {
  const cases: [string, Delta[], string[]][] = [
    [
      'thought, then words',
      [said({ reasoning_content: 'Hm' }), said({ reasoning_content: '.' }), said({ content: 'Hi' })],
      ['0 thinking', '0 +Hm', '0 +.', '0 signed', '0 end', '1 text', '1 +Hi', '1 end'],
    ],
    [
      'words, thought, words',
      [said({ content: 'a' }), said({ reasoning_content: 'b' }), said({ content: 'c' })],
      ['0 text', '0 +a', '0 end', '1 thinking', '1 +b', '1 signed', '1 end', '2 text', '2 +c', '2 end'],
    ],
    [
      'words, then a call',
      [said({ content: 'a' }), opened(0), fragment(0, '{"x":'), fragment(0, '1}')],
      ['0 text', '0 +a', '0 end', '1 tool_use tool0', '1 +{"x":', '1 +1}', '1 end'],
    ],
    [
      'two calls, each at once',
      [opened(0), fragment(0, '{}'), opened(1), fragment(1, '{"y"'), fragment(1, ':2}')],
      ['0 tool_use tool0', '0 +{}', '0 end', '1 tool_use tool1', '1 +{"y"', '1 +:2}', '1 end'],
    ],
    [
      'two calls whose fragments come mixed',
      [
        opened(0),
        opened(1),
        fragment(1, '{"b":'),
        fragment(0, '{"a":'),
        fragment(1, '2}'),
        fragment(0, '1}'),
      ],
      ['0 tool_use tool0', '0 +{"a":', '0 +1}', '0 end', '1 tool_use tool1', '1 +{"b":2}', '1 end'],
    ],
    [
      'two calls in one burst, without arguments',
      [opened(0), opened(1)],
      ['0 tool_use tool0', '0 end', '1 tool_use tool1', '1 end'],
    ],
    [
      'words amid a call wait for its end',
      [opened(0), fragment(0, '{"a"'), said({ content: 'x' }), fragment(0, ':{}}'), said({ content: 'y' })],
      ['0 tool_use tool0', '0 +{"a"', '0 +:{}}', '0 end', '1 text', '1 +x', '1 +y', '1 end'],
    ],
    [
      'a name that comes late is waited for',
      [
        said({ tool_calls: [{ index: 0, id: 't0', function: { arguments: '{' } }] }),
        said({ tool_calls: [{ index: 0, function: { name: 'late', arguments: '}' } }] }),
      ],
      ['0 tool_use late', '0 +{}', '0 end'],
    ],
    [
      'what follows whole arguments that were followed by something else is not theirs',
      [opened(0), fragment(0, '{}'), said({ content: 'x' }), fragment(0, '{}')],
      ['0 tool_use tool0', '0 +{}', '0 end', '1 text', '1 +x', '1 end'],
    ],
    [
      'only the first choice is told',
      [chatDelta('', { choices: [{ index: 1, delta: { content: 'other' }, finish_reason: null }] })],
      [],
    ],
  ]
  test.for(cases)('%s', ([, deltas, blocks]) => {
    expect(blocksIn(streamed([...deltas, ended('tool_calls')]))).toEqual(blocks)
  })

  test('a call in many fragments is not parsed again for each', () => {
    const stream = encoder()
    stream.encode([opened(0), opened(1), fragment(0, '{"a":"')])
    for (let piece = 0; piece < 40_000; piece++) stream.encode([fragment(0, 'a word or two {} xx}')])
    expect(eventsOf(stream.encode([fragment(0, '"}')])).map(({ type }) => type)).toEqual([
      'content_block_delta',
      'content_block_stop',
      'content_block_start',
    ])
  })

  test('a call whose arguments begin with blanks has not ended', () => {
    const events = streamed([
      opened(0),
      opened(1),
      fragment(0, ' '),
      fragment(0, '{"a":1}'),
      fragment(1, '{}'),
      ended('tool_calls'),
    ])
    expect(blocksIn(events)).toEqual([
      ...['0 tool_use tool0', '0 + ', '0 +{"a":1}', '0 end'],
      ...['1 tool_use tool1', '1 +{}', '1 end'],
    ])
  })

  test('a ping says that there is nothing to tell, before a message as well as in it', () => {
    const stream = encoder()
    expect(stream.idle?.(0)).toBe('event: ping\ndata: {"type":"ping"}\n\n')
    const [first] = eventsOf(stream.encode([said({ content: 'one' })]))
    expect(first).toMatchObject({ type: 'message_start' })
    expect(stream.idle?.(0)).toBe('event: ping\ndata: {"type":"ping"}\n\n')
  })

  test('a call that cannot be read breaks the stream at its end', () => {
    const stream = encoder()
    stream.encode([opened(0), fragment(0, '{"a":'), ended('tool_calls')])
    expect(() => stream.end(usage)).toThrow(expect.objectContaining({ kind: 'invalid_response' }))
  })

  test('but not where the bound on tokens cut it short', () => {
    const events = streamed([opened(0), fragment(0, '{"a":'), ended('length')])
    expect(blocksIn(events)).toEqual(['0 tool_use tool0', '0 +{"a":', '0 end'])
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'max_tokens' } })
  })

  test('however the fragments of several calls and words are mixed and cut', () => {
    const inputs = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(inputs, fc.infiniteStream(fc.nat()), (values, draw) => {
        const next = (below: number) => (draw.next().value as number) % below
        const left = values.map((value) => JSON.stringify(value))
        const deltas = left.map((_, index) => opened(index))
        let words = ''
        while (left.some((text) => text !== '')) {
          const index = next(left.length + 1)
          const text = left[index]
          if (text === undefined) {
            words += 'w'
            deltas.push(said({ content: 'w' }))
            if (words.length > 100) break
            continue
          }
          const length = 1 + next(8)
          if (text === '') continue
          deltas.push(fragment(index, text.slice(0, length)))
          left[index] = text.slice(length)
        }
        left.forEach((text, index) => {
          if (text !== '') deltas.push(fragment(index, text))
        })
        const events = streamed([...deltas, ended('tool_calls')])
        expect(inputsIn(events)).toEqual(JSON.parse(JSON.stringify(values)))
        expect(textIn(events)).toBe(words)
        expectOneAtATime(events)
      }),
    )
  })
})

function inputsIn(events: readonly Event[]): unknown[] {
  const inputs = new Map<number, string>()
  for (const { index = -1, content_block: block, delta } of events) {
    if (block?.type === 'tool_use') inputs.set(index, '')
    if (delta?.type === 'input_json_delta') inputs.set(index, inputs.get(index) + (delta.partial_json ?? ''))
  }
  return [...inputs.values()].map((text) => JSON.parse(text))
}

function textIn(events: readonly Event[]): string {
  return events.map(({ delta }) => delta?.text ?? '').join('')
}

/** Each block begins where the one before has ended, and is numbered by its place. */
function expectOneAtATime(events: readonly Event[]): void {
  let open: number | undefined
  let count = 0
  for (const { type, index } of events) {
    if (type === 'content_block_start') {
      expect(open).toBeUndefined()
      expect(index).toBe(count++)
      open = index
    } else if (type.startsWith('content_block')) {
      expect(index).toBe(open)
      if (type === 'content_block_stop') open = undefined
    }
  }
  expect(open).toBeUndefined()
}
