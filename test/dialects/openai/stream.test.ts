import { describe, expect, test } from 'vitest'
import type { Delta } from '../../../src/core/model/call.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import { chat } from '../../../src/dialects/openai/chat.ts'
import { completions } from '../../../src/dialects/openai/completions.ts'
import type { StreamEncoder } from '../../../src/dialects/shared/dialect.ts'
import { chatDelta, incoming, textDelta, usage } from '../requests.ts'

const head = '"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"mistral-7b"'
const choices = (text: string) =>
  `"choices":[{"text":"${text}","index":0,"logprobs":null,"finish_reason":null}]`

describe('A stream without usage', () => {
  test('has one frame for each chunk, compact and ended by two line feeds', () => {
    const frames = textStream().encode([textDelta('Hel'), textDelta('lo')])
    expect(frames).toBe(`data: {${head},${choices('Hel')}}\n\ndata: {${head},${choices('lo')}}\n\n`)
  })

  test('writes nothing for an empty burst', () => {
    expect(textStream().encode([])).toBe('')
  })

  test('ends with the terminator alone', () => {
    const stream = textStream()
    stream.encode([textDelta('Hello')])
    expect(stream.end(usage)).toBe('data: [DONE]\n\n')
  })

  test('never lets a usage through', () => {
    const delta = JsonText.read(textDelta('Hello', { usage }).value, `{${head},"usage":{"prompt_tokens":5}}`)
    expect(textStream().encode([delta])).toBe(`data: {${head},${choices('Hello')},"usage":null}\n\n`)
  })

  test('is for chat what it is for text', () => {
    const stream = chatStream()
    expect(stream.encode([chatDelta('Hi')])).toBe(
      'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"mistral-7b",' +
        '"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n',
    )
    expect(stream.end(usage)).toBe('data: [DONE]\n\n')
  })
})

describe('A stream that has nothing to tell', () => {
  const startedEpochMs = 1_800_000_000_900
  const own = '"id":"cmpl-000000000000000000000000","created":1800000000'
  const idle = (stream: StreamEncoder) => stream.idle?.(startedEpochMs)

  test('says so in a chunk that is like those before it', () => {
    const text = textStream()
    text.encode([textDelta('Hello')])
    expect(idle(text)).toBe(
      `data: {${head},"choices":[{"index":0,"text":"","logprobs":null,"finish_reason":null}]}\n\n`,
    )
    const chat = chatStream({ stream_options: { include_usage: true } })
    chat.encode([chatDelta('Hi', { choices: [{ index: 2, delta: { content: 'Hi' }, finish_reason: null }] })])
    expect(idle(chat)).toBe(
      'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"mistral-7b",' +
        '"choices":[{"index":2,"delta":{},"logprobs":null,"finish_reason":null}],"usage":null}\n\n',
    )
  })

  test('before it has begun is of one id and one date to its end, whatever an upstream calls it then', () => {
    const stream = textStream({ stream_options: { include_usage: true } })
    const first = idle(stream)
    expect(first).toBe(
      `data: {${own},"object":"text_completion","model":"mistral-7b",` +
        '"choices":[{"index":0,"text":"","logprobs":null,"finish_reason":null}],"usage":null}\n\n',
    )
    expect(stream.idle?.(startedEpochMs + 90_000)).toBe(first)
    const given = textDelta('Hello', { odd: 1 })
    const frames = stream.encode([JsonText.read(given.value, JSON.stringify(given.value))])
    const ending = stream.end(usage)
    for (const frame of [...frames.split('\n\n'), ending.split('\n\n')[0] ?? ''].filter(Boolean)) {
      expect(JSON.parse(frame.slice('data: '.length))).toMatchObject({
        id: 'cmpl-000000000000000000000000',
        created: 1_800_000_000,
      })
    }
    expect(frames).toContain('"text":"Hello"')
    expect(frames).toContain('"odd":1')
  })

  test('before a chat has begun, likewise', () => {
    expect(idle(chatStream())).toBe(
      'data: {"id":"chatcmpl-000000000000000000000000","created":1800000000,"object":"chat.completion.chunk",' +
        '"model":"mistral-7b","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":null}]}\n\n',
    )
  })

  test('says nothing more of a choice that has finished', () => {
    const stream = chatStream()
    stream.encode([chatDelta('', { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })])
    expect(idle(stream)).toBe('')
    stream.encode([chatDelta('', { choices: [], usage })])
    expect(idle(stream)).toBe('')
  })
})

describe('A stream with usage', () => {
  const ask = { stream_options: { include_usage: true } }

  test('has usage null in every chunk, and the counts in a frame of their own before the terminator', () => {
    const stream = textStream(ask)
    expect(stream.encode([textDelta('Hello')])).toBe(`data: {${head},${choices('Hello')},"usage":null}\n\n`)
    expect(stream.end(usage)).toBe(
      `data: {${head},"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\n` +
        'data: [DONE]\n\n',
    )
  })

  test('tells beside the counts what came after the last choice', () => {
    const stream = textStream(ask)
    const rest = textDelta('', { timings: { ms: 1 } })
    expect(stream.encode([textDelta('Hello')])).not.toBe('')
    expect(stream.encode([JsonText.of({ ...rest.value, choices: [] })])).toBe('')
    expect(JSON.parse(stream.end(usage).split('\n')[0]!.slice('data: '.length))).toMatchObject({
      choices: [],
      timings: { ms: 1 },
      usage,
    })
  })

  test('tells it to who did not ask for usage, too, beside a choice that says nothing', () => {
    const stream = chatStream({})
    stream.encode([chatDelta('Hi')])
    const rest = chatDelta('', { citations: ['https://a.test/'], service_tier: 'flex' })
    expect(stream.encode([JsonText.of({ ...rest.value, choices: [] })])).toBe('')
    const [told = '', done] = stream.end(usage).split('\n\n')
    expect(JSON.parse(told.slice('data: '.length))).toEqual({
      ...rest.value,
      choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: null }],
    })
    expect(done).toBe('data: [DONE]')
  })

  test('adds the null to the text of the upstream', () => {
    const delta = JsonText.read(textDelta('Hello').value, '{"id":"cmpl-1", "n": {}} ')
    expect(textStream(ask).encode([delta])).toBe('data: {"id":"cmpl-1", "n": {},"usage":null}\n\n')
  })

  test('does not say it twice', () => {
    const source = `{${head},"usage":null,${choices('Hello')}}`
    const delta = JsonText.read(textDelta('Hello', { usage: null }).value, source)
    expect(textStream(ask).encode([delta])).toBe(`data: ${source}\n\n`)
  })

  test('takes the name of the chat from its own chunks', () => {
    const stream = chatStream(ask)
    stream.encode([chatDelta('Hi', { id: 'chatcmpl-7' })])
    expect(stream.end(usage)).toBe(
      'data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"mistral-7b",' +
        '"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\n' +
        'data: [DONE]\n\n',
    )
  })
})

describe("A chunk in the upstream's own words", () => {
  const sources = [
    ['is passed on to the letter', '{ "id" : "cmpl-1", "x": 1.50, "b": 12345678901234567890 }', true],
    ['is serialised again when it spans lines', '{"id":\n"cmpl-1"}', false],
    ['is serialised again when it has a carriage return', '{"id":\r"cmpl-1"}', false],
  ] as const

  test.for(sources)('%s', ([, source, kept]) => {
    const frames = textStream().encode([JsonText.read(textDelta('Hello').value, source)])
    expect(frames).toBe(`data: ${kept ? source : `{${head},${choices('Hello')}}`}\n\n`)
  })

  test('loses an error that is null, with and without usage', () => {
    const delta = JsonText.read(textDelta('Hello', { error: null }).value, '{"error":null}')
    expect(textStream().encode([delta])).toBe(`data: {${head},${choices('Hello')}}\n\n`)
    const asked = textStream({ stream_options: { include_usage: true } })
    expect(asked.encode([delta])).toBe(`data: {${head},${choices('Hello')},"usage":null}\n\n`)
  })

  test('is not changed in memory', () => {
    const delta: Delta = textDelta('Hello', { usage, error: null })
    const before = structuredClone(delta.value)
    textStream({ stream_options: { include_usage: true } }).encode([delta])
    expect(delta.value).toEqual(before)
  })
})

test('A broken stream ends with one error frame, error first, and no terminator', () => {
  const stream = chatStream()
  stream.encode([chatDelta('Hi')])
  const failure = new Failure('interrupted', 'The upstream ended the answer before it was complete.')
  expect(stream.fail(failure)).toBe(
    'data: {"error":{"message":"The upstream ended the answer before it was complete.","type":"server_error",' +
      '"param":null,"code":"upstream_stream_interrupted"}}\n\n',
  )
})

function textStream(more: object = {}): StreamEncoder {
  const request = incoming({ model: 'mistral-7b', prompt: 'Hi', stream: true, ...more })
  return completions.encoder(completions.parse(request), () => ({ slow: false }))
}

function chatStream(more: object = {}): StreamEncoder {
  const messages = [{ role: 'user', content: 'Hi' }]
  const request = incoming({ model: 'mistral-7b', messages, stream: true, ...more })
  return chat.encoder(chat.parse(request), () => ({ slow: false }))
}
