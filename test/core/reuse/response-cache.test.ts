import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Chunk, Delta, Reply } from '../../../src/core/model/call.ts'
import { fold, unfold } from '../../../src/core/model/fold/fold.ts'
import { type JsonObject, parseJson } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import type { SharedCache } from '../../../src/core/model/shared/cache.ts'
import type { CachedReply } from '../../../src/core/reuse/kept-reply.ts'
import {
  createResponseCache,
  type ResponseCache,
  type ResponseCacheSettings,
} from '../../../src/core/reuse/response-cache.ts'
import { createMemoryCache } from '../../../src/state/memory-cache.ts'
import { aCall, chatChunk, chatReply, textChunk, textOf } from '../../harness/scripted-upstream.ts'

const aToolCall = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }
const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7, cost: 0.5 }

describe('an answer is returned unchanged', () => {
  const wire =
    '{ "id":"1", "object":"text_completion", "created":1, "model":"m", "choices":[{"index":0,"text":"Hi","finish_reason":"stop"}] }'
  const cases: readonly (readonly [string, Reply])[] = [
    ['with its wire text', { chunk: JsonText.read(parseJson(wire) as Chunk, wire), usage }],
    ['text without a text of its own', aReply(textChunk('Hi', 'stop'))],
    ['a chat', aReply(chatReply({ role: 'assistant', content: 'Hi' }))],
    ['of several choices', aReply({ ...textChunk('Hi', 'stop'), choices: [aChoice('a'), aChoice('b')] })],
    ['cut by max_tokens', aReply(chatReply({ content: 'H' }, 'length'))],
    ['with tool calls', aReply(chatReply({ content: null, tool_calls: [aToolCall] }, 'tool_calls'))],
    [
      'with digits beyond a double',
      aReply({ ...textChunk('Hi', 'stop'), seed: JSON.rawJSON('9007199254740993') }),
    ],
  ]
  test.for(cases)('%s', ([, reply]) => {
    const cache = aCache()
    const answer: CachedReply = { reply, deployment: 'm@together', costNanoUsd: 1200, baseline: undefined }
    expect(cache.put('key', answer)).toBe(true)
    const taken = cache.get('key')
    expect(taken).toEqual(answer)
    expect(JSON.stringify(taken)).toBe(JSON.stringify(answer))
  })
})

test('it replays as a stream with its text and its end', async () => {
  const cache = aCache()
  const chunks = [
    chatChunk({ role: 'assistant', content: 'H' }),
    chatChunk({ content: 'i' }),
    chatChunk({}, 'stop'),
  ]
  const whole = fold(chunks.map((chunk): Delta => JsonText.of(chunk as Chunk)))
  cache.put('key', anAnswer({ reply: { chunk: whole!, usage } }))
  const { reply } = (await cache.get('key'))!
  const replayed = unfold(reply.chunk)
  expect(textOf(replayed)).toBe('Hi')
  expect(fold(replayed)?.value).toEqual(whole?.value)
})

test('a caller may change its answer: the next one gets the original', async () => {
  const cache = aCache()
  const answer = anAnswer()
  cache.put('key', answer)
  const taken = (await cache.get('key'))!
  taken.reply.chunk.value.choices.length = 0
  taken.reply.usage.total_tokens = 0
  answer.reply.chunk.value.choices.length = 0
  expect(cache.get('key')).toEqual(anAnswer())
})

describe('an answer that cannot be replayed is not cached', () => {
  const cut = { content: null, tool_calls: [aToolCall] }
  const cases: readonly (readonly [string, JsonObject])[] = [
    ['a choice without an end', textChunk('Hi')],
    [
      'one choice of two without an end',
      { ...textChunk(''), choices: [aChoice('a'), { ...aChoice('b'), finish_reason: null }] },
    ],
    ['no choice at all', { ...textChunk('Hi', 'stop'), choices: [] }],
    ['a chunk of a stream', chatChunk({ content: 'Hi' }, 'stop')],
    ['a filtered answer', chatReply({ content: '' }, 'content_filter')],
    ['a tool call that was cut', chatReply(cut, 'length')],
    ['a function call that was cut', chatReply({ content: null, function_call: { name: 'f' } }, 'length')],
  ]
  test.for(cases)('%s', ([, chunk]) => {
    const cache = aCache()
    expect(cache.put('key', anAnswer({ reply: aReply(chunk) }))).toBe(false)
    expect(cache.get('key')).toBeUndefined()
    expect(cache.counts()).toMatchObject({ entries: 0, bytes: 0 })
  })

  test('and an earlier cached answer stays', () => {
    const cache = aCache()
    cache.put('key', anAnswer())
    cache.put('key', anAnswer({ reply: aReply(textChunk('Hi')) }))
    expect(cache.get('key')).toEqual(anAnswer())
  })
})

describe('it accepts calls', () => {
  test.for([
    [{ temperature: 0 }, false, true],
    [{ temperature: 1 }, false, false],
    [{ temperature: 1 }, true, true],
    [{ temperature: 0, n: 2 }, false, false],
    [{ temperature: 0, n: 2 }, true, true],
  ] as const)('%j, every call %j: %j', ([body, everyCall, expected]) => {
    expect(aCache({ everyCall }).accepts(aCall({ body }))).toBe(expected)
  })
})

describe('an answer expires', () => {
  test.for([
    [0, true],
    [999, true],
    [1000, false],
    [5000, false],
  ] as const)('after %d ms of 1000 it is still cached: %j', ([afterMs, isThere]) => {
    const clock = aClock(50)
    const cache = aCache({ ttlMs: 1000 }, clock)
    cache.put('key', anAnswer())
    clock.at += afterMs
    expect(cache.get('key') !== undefined).toBe(isThere)
    expect(cache.counts()).toMatchObject(
      isThere
        ? { hits: 1, misses: 0, expiries: 0, entries: 1 }
        : { hits: 0, misses: 1, expiries: 1, entries: 0, bytes: 0 },
    )
  })

  test('counted from when it was cached, not used; caching it again restarts the time', () => {
    const clock = aClock(0)
    const cache = aCache({ ttlMs: 1000 }, clock)
    cache.put('used', anAnswer())
    cache.put('renewed', anAnswer())
    clock.at = 900
    void cache.get('used')
    cache.put('renewed', anAnswer())
    clock.at = 1100
    expect(cache.get('used')).toBeUndefined()
    expect(cache.get('renewed')).toBeDefined()
  })
})

describe('it evicts', () => {
  test('the least recently used for the newest', () => {
    const cache = aCache({ maxEntries: 2 })
    cache.put('a', anAnswer())
    cache.put('b', anAnswer())
    void cache.get('a')
    cache.put('c', anAnswer())
    expect(there(cache, 'a', 'b', 'c')).toEqual(['a', 'c'])
    expect(cache.counts()).toMatchObject({ evictions: 1, entries: 2 })
  })

  test('by bytes as well as by number', () => {
    const sizeOfOne = sizeOf(anAnswer())
    const cache = aCache({ maxBytes: 2 * sizeOfOne })
    for (const key of ['a', 'b', 'c']) cache.put(key, anAnswer())
    expect(there(cache, 'a', 'b', 'c')).toEqual(['b', 'c'])
    expect(cache.counts()).toMatchObject({ evictions: 1, bytes: 2 * sizeOfOne })
  })

  test('but not for an entry larger than the limit', () => {
    const cache = aCache({ maxBytes: sizeOf(anAnswer()) })
    cache.put('a', anAnswer())
    expect(cache.put('b', anAnswer({ reply: aReply(textChunk('Hi!', 'stop')) }))).toBe(false)
    expect(there(cache, 'a', 'b')).toEqual(['a'])
  })

  test('and holds nothing if the limit is zero', () => {
    for (const none of [{ maxEntries: 0 }, { maxBytes: 0 }]) {
      const cache = aCache(none)
      expect(cache.put('a', anAnswer())).toBe(false)
      expect(cache.counts()).toMatchObject({ entries: 0, bytes: 0, evictions: 0 })
    }
  })
})

test('it counts the original cost of hits, and hits whose cost is unknown', () => {
  const cache = aCache()
  cache.put('priced', anAnswer({ costNanoUsd: 1500 }))
  cache.put('free', anAnswer({ costNanoUsd: 0 }))
  cache.put('unpriced', anAnswer({ costNanoUsd: undefined }))
  for (const key of ['priced', 'priced', 'free', 'unpriced', 'absent']) void cache.get(key)
  expect(cache.counts()).toMatchObject({ hits: 4, misses: 1, savedNanoUsd: 3000, unpricedHits: 1 })
})

test('any sequence of operations evicts the least recently used, and stays within the limits', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), key, length: fc.nat(400) }),
    fc.record({ do: fc.constant('get' as const), key }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, maxEntries) => {
      const maxBytes = 3 * sizeOf(anAnswer())
      const cache = aCache({ maxEntries, maxBytes })
      /** Keys and sizes, the least recently used first. */
      const model = new Map<string, number>()
      for (const step of steps) {
        if (step.do === 'get') {
          const size = model.get(step.key)
          expect(cache.get(step.key) !== undefined).toBe(size !== undefined)
          if (size !== undefined) model.delete(step.key)
          if (size !== undefined) model.set(step.key, size)
          continue
        }
        const answer = anAnswer({ reply: aReply(textChunk('x'.repeat(step.length), 'stop')) })
        const size = sizeOf(answer)
        expect(cache.put(step.key, answer)).toBe(size <= maxBytes)
        if (size > maxBytes) continue
        model.delete(step.key)
        model.set(step.key, size)
        while (model.size > maxEntries || sum(model.values()) > maxBytes) {
          model.delete([...model.keys()][0]!)
        }
        expect(cache.counts()).toMatchObject({ entries: model.size, bytes: sum(model.values()) })
      }
    }),
  )
})

function aCache(
  change: Partial<ResponseCacheSettings> = {},
  clock = aClock(0),
  cache?: SharedCache,
): ResponseCache {
  const settings = { ttlMs: 60_000, maxEntries: 100, maxBytes: 1_000_000, everyCall: false, ...change }
  return createResponseCache(settings, clock, cache)
}

function aClock(at: number): { at: number; now(): number } {
  return {
    at,
    now() {
      return this.at
    },
  }
}

function anAnswer(change: Partial<CachedReply> = {}): CachedReply {
  return {
    reply: aReply(textChunk('Hi', 'stop')),
    deployment: 'm@together',
    costNanoUsd: 1200,
    baseline: undefined,
    ...change,
  }
}

function aReply(chunk: JsonObject): Reply {
  return { chunk: JsonText.of(chunk as Chunk), usage: { ...usage } }
}

function aChoice(text: string): JsonObject {
  return { index: text.charCodeAt(0) - 97, text, finish_reason: 'stop' }
}

function sizeOf(answer: CachedReply): number {
  const cache = aCache()
  cache.put('k', answer)
  return cache.counts().bytes
}

/** Which of these keys are cached; reading counts as use. */
function there(cache: ResponseCache, ...keys: string[]): string[] {
  return keys.filter((key) => cache.get(key) !== undefined)
}

function sum(sizes: Iterable<number>): number {
  return Array.from(sizes).reduce((total, size) => total + size, 0)
}

describe('with a shared cache', () => {
  test('all processes find what one has cached, until it expires', async () => {
    const clock = aClock(0)
    const cache = createMemoryCache(clock)
    const [here, there] = [aCache({}, clock, cache), aCache({}, clock, cache)]
    here.put('key', anAnswer())
    expect(await there.get('key')).toEqual(anAnswer())
    expect(await there.get('other')).toBeUndefined()
    expect(there.counts()).toMatchObject({ hits: 1, misses: 1, entries: 0 })
    clock.at = 60_000
    expect(await there.get('key')).toBeUndefined()
  })

  test('an eviction here also removes the shared entry', async () => {
    const cache = createMemoryCache({ now: () => 0 })
    const here = aCache({ maxEntries: 1 }, undefined, cache)
    here.put('a', anAnswer())
    here.put('b', anAnswer())
    const there = aCache({}, undefined, cache)
    expect([await there.get('a'), await there.get('b')]).toEqual([undefined, anAnswer()])
  })

  test('each process has only its own answers while that is unavailable', async () => {
    const cache = createMemoryCache({ now: () => 0 })
    const away = () => Promise.reject(new Error('Away.'))
    Object.assign(cache, { get: away, put: away, remove: away })
    const here = aCache({ maxEntries: 1 }, undefined, cache)
    here.put('a', anAnswer())
    here.put('b', anAnswer())
    expect([await here.get('a'), await here.get('b')]).toEqual([undefined, anAnswer()])
  })
})
