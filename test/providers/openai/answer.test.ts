import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Delta, RawDelta } from '../../../src/core/model/call.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { fold } from '../../../src/core/model/fold/fold.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { createNormalizer } from '../../../src/core/reply/normalize.ts'
import { createChunkReader, readReply } from '../../../src/providers/openai/answer.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/openai-compatible/${name}`, import.meta.url), 'utf8')

type Read = {
  readonly deltas: readonly RawDelta[]
  readonly done: boolean
  readonly failure: string | undefined
}

function readStream(text: string, pieceBytes: number): Read {
  const reader = createChunkReader('up')
  const bytes = Buffer.from(text)
  const deltas: RawDelta[] = []
  for (let at = 0; at < bytes.length && !reader.done; at += pieceBytes) {
    deltas.push(...reader.read(bytes.subarray(at, at + pieceBytes)))
  }
  if (!reader.done) deltas.push(...reader.end())
  return { deltas, done: reader.done, failure: reader.failure?.kind }
}

/** What a caller gets of it in the end. */
function told(deltas: readonly RawDelta[], kind: Kind) {
  const parts = { kind, stream: true, id: 'id', model: 'm', createdEpochSeconds: 0, flags: new Set<string>() }
  const normalizer = createNormalizer(parts)
  const seen: Delta[] = []
  let failure: unknown
  try {
    seen.push(...normalizer.accept(deltas))
    normalizer.finish()
  } catch (thrown) {
    failure = thrown
  }
  const [choice] = fold(seen)?.value.choices ?? []
  return {
    text: choice?.text ?? choice?.message?.content ?? '',
    reasoning: choice?.message?.reasoning_content,
    reason: choice?.finish_reason,
    usage: normalizer.usage()?.raw,
    failure: failure as { kind?: string } | undefined,
  }
}

const streams: readonly (readonly [fixture: string, kind: Kind, expected: object])[] = [
  [
    'together-a.sse',
    'chat',
    { text: ' one two', reason: 'stop', usage: { cached_tokens: 0, completion_tokens: 3 } },
  ],
  ['together-text-in-finish.sse', 'chat', { text: ' one two', reason: 'length' }],
  [
    'together-b.sse',
    'chat',
    { text: 'one two', reason: 'stop', reasoning: 'They greet. ', usage: { total_tokens: 152 } },
  ],
  [
    'baseten.sse',
    'chat',
    { text: 'one two', reason: 'stop', reasoning: ' think', usage: { completion_tokens: 39 } },
  ],
  ['baseten-no-done.sse', 'chat', { text: 'one two', reason: 'stop' }],
  ['llamacpp-crlf.sse', 'chat', { text: 'one two', reason: 'stop', usage: { total_tokens: 6 } }],
  ['vllm-text.sse', 'text', { text: 'one two', reason: 'stop', usage: { total_tokens: 4 } }],
  ['comments.sse', 'text', { text: 'one two', reason: 'stop' }],
  ['after-done.sse', 'text', { text: 'one two', reason: 'stop', failure: undefined }],
  ['vllm-error.sse', 'chat', { text: 'one', failure: { kind: 'upstream_error' } }],
  ['sglang-error.sse', 'chat', { text: 'one', failure: { kind: 'upstream_error' } }],
  ['together-error.sse', 'chat', { text: 'one', failure: { kind: 'upstream_error' } }],
  ['named-error.sse', 'chat', { text: 'one', failure: { kind: 'upstream_error' } }],
]

for (const pieceBytes of [1, 7, 100_000]) {
  test.for(streams)(`%s is read in pieces of ${pieceBytes} bytes`, ([name, kind, expected]) => {
    const read = () => readStream(fixture(name), pieceBytes)
    expect(read().failure).toBeUndefined()
    // Text that came before an error is seen before it.
    const before = read().deltas.filter(({ value: chunk }) => chunk['error'] === undefined)
    expect({ ...told(read().deltas, kind), text: told(before, kind).text }).toMatchObject(expected)
  })
}

test('each delta has the text it came in, digits and all', () => {
  const { deltas } = readStream(fixture('together-a.sse'), 100_000)
  const lines = fixture('together-a.sse').match(/(?<=^data: )\{.*$/gm)
  expect(deltas.map(({ text }) => text)).toEqual(lines)
  expect(JSON.stringify(deltas[2]?.value)).toContain('"seed":12192233397672327001')
})

test('a chunk on several lines has no text to pass on', () => {
  const { deltas } = readStream('data: {"choices":\ndata: []}\n\n', 100)
  expect(deltas).toEqual([JsonText.of({ choices: [] })])
})

test('an error that is null is no error, and is not passed on', () => {
  const { deltas, done } = readStream('data: {"error":null,"choices":[]}\n\n', 100)
  expect(deltas).toEqual([JsonText.of({ choices: [] })])
  expect(done).toBe(false)
})

test('nothing is read after the upstream said it is done', () => {
  const { deltas, done } = readStream(fixture('after-done.sse'), 100_000)
  expect(done).toBe(true)
  expect(deltas).toHaveLength(4)
})

test.for([
  ['{"error":{"message":"a","code":1}}', { message: 'a', code: 1 }],
  ['{"error":"a"}', { message: 'a' }],
  ['{"error":7}', { message: '7' }],
  ['{"error":["a"]}', { message: '["a"]' }],
  ['{"error":true}', { message: 'true' }],
  ['{"object":"error","message":"a"}', { object: 'error', message: 'a' }],
  ['{"message":"a","code":400}', { message: 'a', code: 400 }],
  ['{"choices":[{"error":{"message":"a"}}]}', { message: 'a' }],
])('%s reports an error as an object, in a stream and in a reply', ([text, error]) => {
  const { deltas, done } = readStream(`data: ${text}\n\n`, 1000)
  expect({ deltas, done }).toEqual({ deltas: [{ error }], done: true })
  expect(readReply(text as string, 'up').value).toEqual({ error })
})

test.for([
  ['{"message":"a"}', { message: 'a' }],
  ['{"error":{"message":"a"}}', { message: 'a' }],
  ['it broke', { message: 'it broke' }],
])('an event named error with %s reports it as an object', ([data, error]) => {
  expect(readStream(`event: error\ndata: ${data}\n\n`, 1000).deltas).toEqual([JsonText.of({ error })])
})

test.for(['data: <html>\n\n', 'data: "text"\n\n', 'data: [1]\n\n', 'data: {"a":\n\n'])(
  'an event that is no chunk (%j) is invalid, after what came before it',
  (text) => {
    const good = 'data: {"choices":[]}\n\n'
    const { deltas, failure } = readStream(good + text + good, 1000)
    expect({ deltas, failure }).toEqual({ deltas: [{ choices: [] }], failure: 'invalid_response' })
  },
)

test.for(['data: null\n\n', 'data:\n\n', 'data:   \n\n', 'data:  null \n\n'])(
  'an event that says nothing (%j) is passed over',
  (text) => {
    const good = 'data: {"choices":[]}\n\n'
    const { deltas, failure } = readStream(good + text + good, 1000)
    expect({ deltas, failure }).toEqual({ deltas: [{ choices: [] }, { choices: [] }], failure: undefined })
  },
)

test.for(['[DONE]', '[done]', ' [DONE]', '[Done] ', '[DONE][DONE]'])('%j is the end of a stream', (data) => {
  const reader = createChunkReader('up')
  reader.read(Buffer.from(`data: ${data}\n\n`))
  expect(reader).toMatchObject({ done: true, isTerminated: true, failure: undefined })
})

test('what is no JSON after a choice has ended is reported as what it is, and read past', () => {
  const end = '{"choices":[{"index":0,"finish_reason":"stop"}]}'
  const usage = '{"choices":[],"usage":{}}'
  const { deltas, failure } = readStream(`data: ${end}\n\ndata: bye\n\ndata: ${usage}\n\n`, 1000)
  expect(failure).toBeUndefined()
  expect(deltas.map(({ text, failure: told }) => [text, told?.kind])).toEqual([
    [end, undefined],
    ['{}', 'invalid_response'],
    [usage, undefined],
  ])
})

test('half an event at the end is an answer cut short', () => {
  const { deltas, failure } = readStream(fixture('cut-in-event.sse'), 100_000)
  expect(deltas).toHaveLength(1)
  expect(failure).toBe('interrupted')
})

test.for([
  ['it', 'data: [DONE]\n\n', undefined],
  ['it, and no blank line', 'data: [DONE]', undefined],
  ['nothing of the kind', '', 'interrupted'],
  ['an empty event', 'data:\n\n', 'interrupted'],
])('a stream that needs its terminator ends with %s', ([, last, kind]) => {
  const reader = createChunkReader('up', undefined, true)
  reader.read(Buffer.from(`data: {"choices":[]}\n\n${last}`))
  if (!reader.done) reader.end()
  expect(reader.failure?.kind).toBe(kind)
})

test('empty events are skipped', () => {
  expect(readStream('data:\n\ndata: {"choices":[]}\n\ndata: \n\n', 1000).deltas).toHaveLength(1)
})

test.for(['together-reply.json', 'vllm-text-reply.json'])('%s is one delta, with its very text', (name) => {
  const { value: chunk, text: source } = readReply(fixture(name), 'up')
  expect(source).toBe(fixture(name))
  expect(chunk['choices']).toHaveLength(1)
})

test('a reply keeps digits that a number would lose', () => {
  expect(JSON.stringify(readReply(fixture('together-reply.json'), 'up').value)).toContain(
    '2875093277637887001',
  )
})

test('a byte-order mark before a reply is no part of it', () => {
  expect(readReply(`\ufeff${fixture('vllm-text-reply.json')}`, 'up').value).toMatchObject({ id: 'cmpl-1' })
})

test.for(['error-in-200.json', 'error-string-in-200.json', 'flat-error-in-200.json'])(
  '%s is a reported error',
  (name) => {
    expect(readReply(fixture(name), 'up').value).toEqual({
      error: expect.objectContaining({ message: expect.any(String) }),
    })
  },
)

test.for(['page.html', 'half.json', 'worker-error.json'])('%s is no reply', (name) => {
  expect(() => readReply(fixture(name), 'up')).toThrow(
    expect.objectContaining({ kind: 'invalid_response', provider: 'up' }),
  )
})

test.for(['', '{}', '[]', 'null', '7', '"a"', '{"choices":[]}', '{"choices":null}', '{"choices":{}}'])(
  '%j is no reply',
  (text) => {
    expect(() => readReply(text, 'up')).toThrow(
      expect.objectContaining({ kind: 'invalid_response', provider: 'up' }),
    )
  },
)

describe('an error that is read as a failure', () => {
  const readError = (error: object) =>
    'code' in error ? new Failure('rejected', 'No.', { provider: 'up' }) : undefined

  test.for(['data: {"error":{"code":400}}', 'event: error\ndata: {"code":400}'])(
    'ends a stream after what came before it (%j)',
    (event) => {
      const reader = createChunkReader('up', readError)
      const stream = `data: {"choices":[]}\n\n${event}\n\ndata: {"choices":[]}\n\n`
      expect(reader.read(Buffer.from(stream))).toEqual([{ choices: [] }])
      expect(reader).toMatchObject({ done: true, failure: { kind: 'rejected' } })
    },
  )

  test('is thrown where a reply belongs', () => {
    expect(() => readReply('{"error":{"code":400}}', 'up', readError)).toThrow(
      expect.objectContaining({ kind: 'rejected' }),
    )
  })

  test('is reported as it stands when nothing is made of it', () => {
    expect(readReply('{"error":{"message":"a"}}', 'up', readError).value).toEqual({ error: { message: 'a' } })
    const reader = createChunkReader('up', readError)
    expect(reader.read(Buffer.from('data: {"error":{"message":"a"}}\n\n'))).toEqual([
      { error: { message: 'a' } },
    ])
    expect(reader).toMatchObject({ done: true, failure: undefined })
  })
})
