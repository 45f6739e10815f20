import { expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { createChunkReader } from '../../../src/providers/openai/answer.ts'
import { role, start } from '../../harness/core/normalize.ts'
import { chatChunk, rawDelta, usage } from '../../harness/scripted-upstream.ts'

const end = chatChunk({}, 'stop')
const opening = chatChunk({ ...role, content: '' })

/** Streams of chunks that differ in one word; most of them are never parsed. */
const streams: readonly (readonly [string, readonly JsonObject[]])[] = [
  ['words alone', [opening, ...words(said), end]],
  ['words, and usage with the end', [opening, ...words(said), { ...end, usage: usage(3, 4) }]],
  ['words that tell the role, too', [...words((content) => chatChunk({ ...role, content })), end]],
  ['words without an id', [opening, ...words(nameless), end]],
  ['words with usage in each', [opening, ...words((word) => ({ ...said(word), usage: usage(3, 4) })), end]],
  ['words, and a name that changes', [opening, ...words(said), ...words(renamed), ...words(said), end]],
  [
    'words of two choices',
    [opening, ...words(said), ...words(other), end, ...words(other), chatChunk({}, 'stop', 1)],
  ],
  ['words after the end', [opening, ...words(said), end, ...words(said)]],
]

test.for(streams.flatMap((stream) => [1, 2, 3, 100].map((each) => [...stream, each] as const)))(
  '%s: give the same result with and without the word shortcut',
  ([, chunks, each]) => {
    const reader = createChunkReader('up')
    const normalizer = start('chat', true)
    const become: JsonObject[] = []
    for (let at = 0; at < chunks.length; at += each) {
      const frames = chunks.slice(at, at + each).map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
      const deltas = normalizer.accept(reader.read(Buffer.from(frames.join(''))))
      become.push(...deltas.map(({ value: chunk }) => chunk))
    }
    const parsed = start('chat', true)
    const deltas = chunks.flatMap((chunk) => parsed.accept([rawDelta(chunk)]))
    expect(become).toEqual(deltas.map(({ value: chunk }) => chunk))
    expect(normalizer.isFinished()).toBe(parsed.isFinished())
    expect(normalizer.usage()).toEqual(parsed.usage())
  },
)

function words(chunkOf: (word: string) => JsonObject): readonly JsonObject[] {
  return ['a', 'b', 'c'].map(chunkOf)
}

function said(content: string): JsonObject {
  return chatChunk({ content })
}

function other(content: string): JsonObject {
  return chatChunk({ content }, null, 1)
}

function nameless(content: string): JsonObject {
  const { id: _none, ...chunk } = said(content)
  return chunk
}

function renamed(content: string): JsonObject {
  return { ...said(content), id: 'up-2' }
}
