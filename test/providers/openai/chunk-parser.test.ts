import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMeter } from '../../../src/core/account/meter.ts'
import type { Delta, RawDelta } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import { createNormalizer, type Normalizer } from '../../../src/core/reply/normalize.ts'
import { createOpenAiStream } from '../../../src/dialects/openai/stream.ts'
import {
  createChunkParser,
  type ParsedChunk,
  TemplateDelta,
} from '../../../src/providers/openai/chunk-parser.ts'
import { shown } from '../../harness/core/json-text.ts'
import { aCall } from '../../harness/scripted-upstream.ts'

/** Streams as upstreams make them: mostly words, in a few shapes, with everything else between. */
const words = fc.oneof(
  fc.constantFrom('a', ' b', 'Grüße', '\n', '"', '\\', '', '"content":', ' "text":"x"', '\u2028', '😀'),
  fc.string({ unit: 'binary', maxLength: 5 }),
)
const shapes = fc.constantFrom<((word: string) => object)[]>(
  (word) => ({ index: 0, delta: { content: word }, finish_reason: null }),
  (word) => ({ index: 0, delta: { content: word }, logprobs: null, finish_reason: null }),
  (word) => ({ index: 1, delta: { content: word }, finish_reason: null }),
  (word) => ({ index: 0, delta: { role: 'assistant', content: word }, finish_reason: null }),
  (word) => ({ index: 0, text: word, delta: { content: word }, finish_reason: null }),
  (word) => ({ index: 0, delta: { reasoning_content: word }, finish_reason: null }),
  (word) => ({ index: 0, delta: { content: word, reasoning: null }, stop_reason: null, finish_reason: null }),
  (word) => ({ index: 0, delta: { content: word }, finish_reason: 'stop' }),
  (word) => ({ index: 0, delta: { content: word, refusal: { why: word } }, finish_reason: null }),
)
const envelopes = fc.constantFrom<object[]>(
  { id: 'c-1', object: 'chat.completion.chunk', created: 1, model: 'm' },
  { id: 'c-1', object: 'chat.completion.chunk', created: 1, model: 'm', usage: null },
  { id: 'c-2', object: 'chat.completion.chunk', created: 2, model: 'm', content: 'beside' },
  { id: 'c-1', created: 1, model: 'm', usage: { prompt_tokens: 1, completion_tokens: 2 } },
)
const runs = fc.array(
  fc.record({
    envelope: envelopes,
    shape: shapes,
    words: fc.array(words, { minLength: 1, maxLength: 6 }),
    spaced: fc.boolean(),
  }),
  { maxLength: 6 },
)
const streams = runs.map((all) =>
  all.flatMap((run) =>
    run.words.map((word) =>
      JSON.stringify({ ...run.envelope, choices: [run.shape(word)] }, null, run.spaced ? 1 : 0).replaceAll(
        '\n',
        '',
      ),
    ),
  ),
)

describe('whatever the stream', () => {
  test('a chunk is as JSON.parse gives it, key for key in the same order', () => {
    fc.assert(
      fc.property(streams, (stream) => {
        const parse = createChunkParser()
        for (const data of stream) expect(JSON.stringify(parse(data))).toBe(JSON.stringify(JSON.parse(data)))
      }),
      { numRuns: 500 },
    )
  })

  test('what comes out of the normalizer is the same with and without the short cut', () => {
    fc.assert(
      fc.property(streams, (stream) => {
        const parse = createChunkParser()
        const short = stream.map((source): RawDelta => readChunk(source, parse(source)!))
        const long = stream.map((source): RawDelta => JsonText.read(JSON.parse(source), source))
        expect(normalized(short)).toEqual(normalized(long))
      }),
      { numRuns: 500 },
    )
  })

  test.for([true, false])(
    'what is written and what is metered is the same with and without the short cut, usage asked for: %s',
    (includeUsage) => {
      fc.assert(
        fc.property(streams, (stream) => {
          const parse = createChunkParser()
          const short = stream.map((source): RawDelta => readChunk(source, parse(source)!))
          const long = stream.map((source): RawDelta => JsonText.read(JSON.parse(source), source))
          expect(told(short, includeUsage)).toEqual(told(long, includeUsage))
        }),
        { numRuns: 300 },
      )
    },
  )

  test('no two chunks share an object', () => {
    const parse = createChunkParser()
    const data = (word: string) => `{"id":"c","choices":[{"index":0,"delta":{"content":"${word}"}}]}`
    const chunks = ['a', 'b', 'c'].map((word) => heldBy(parse(data(word))!) as unknown as Delta['value'])
    for (const chunk of chunks) chunk.choices[0]!.delta!.content = 'changed'
    expect(heldBy(parse(data('d'))!)).toEqual(JSON.parse(data('d')))
    expect(new Set(chunks.map(({ choices }) => choices[0]!.delta)).size).toBe(3)
  })
})

test('a chunk is alike only where nothing but its word is another', () => {
  const parse = createChunkParser()
  const chunk = (word: string, more = '') =>
    `{"id":"c"${more},"choices":[{"index":0,"delta":{"content":"${word}"}}]}`
  const told = [
    chunk('a'),
    chunk('b'),
    chunk('c\\n'),
    chunk('d'),
    chunk('e', ',"x":1'),
    chunk('f', ',"x":1'),
    chunk(''),
  ]
  expect(told.map((data) => parse(data) instanceof TemplateDelta)).toEqual([
    false,
    true,
    true,
    true,
    false,
    true,
    false,
  ])
})

test.for(['', 'null', '[]', '"a"', '{', '{"id":"c","choices":[{"index":0,"delta":{"content":"a"}}]'])(
  'what is no JSON object is not taken for one: %s',
  (data) => {
    const parse = createChunkParser()
    parse('{"id":"c","choices":[{"index":0,"delta":{"content":"a"}}]}')
    expect(parse(data)).toBeUndefined()
  },
)

function readChunk(source: string, parsed: ParsedChunk): RawDelta {
  return parsed instanceof TemplateDelta ? parsed : JsonText.read(parsed, source)
}

function heldBy(parsed: ParsedChunk): JsonObject {
  return parsed instanceof TemplateDelta ? parsed.value : parsed
}

function told(deltas: readonly RawDelta[], includeUsage: boolean): unknown {
  const call = aCall({ kind: 'chat', stream: true, includeUsage })
  const seen = aNormalizer(new Set()).accept(deltas)
  const encoder = createOpenAiStream(call)
  const meter = createMeter(call, { count: async () => 0 })
  meter.note(seen)
  return { frames: encoder.encode(seen) + encoder.end(noUsage), estimate: meter.estimate() }
}

const noUsage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }

function normalized(deltas: readonly RawDelta[]): unknown {
  const flags = new Set<string>()
  const normalizer = aNormalizer(flags)
  const seen = normalizer.accept(deltas).map(shown)
  return { seen, flags, usage: normalizer.usage() }
}

function aNormalizer(flags: Set<string>): Normalizer {
  return createNormalizer({
    kind: 'chat',
    stream: true,
    id: 'chatcmpl-1',
    createdEpochSeconds: 7,
    model: 'm',
    flags,
  })
}
