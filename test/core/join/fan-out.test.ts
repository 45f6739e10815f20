import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { identityOf, isSinglePart, isSplitAt, placeDelta, splitCall } from '../../../src/core/join/fan-out.ts'
import type { Delta } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { aCall, chatReply, textChunk } from '../../harness/scripted-upstream.ts'

describe('the parts of a call', () => {
  /** kind · body · each part's prompt · each part's prompt index */
  const cases: [string, Kind, JsonObject, readonly unknown[], readonly number[]][] = [
    ['one prompt', 'text', { prompt: 'a' }, ['a'], [0]],
    ['one prompt in a list', 'text', { prompt: ['a'] }, ['a'], [0]],
    ['several prompts', 'text', { prompt: ['a', 'b', 'c'] }, ['a', 'b', 'c'], [0, 1, 2]],
    ['several choices', 'text', { prompt: 'a', n: 3 }, ['a', 'a', 'a'], [0, 0, 0]],
    ['prompts × choices', 'text', { prompt: ['a', 'b'], n: 2 }, ['a', 'a', 'b', 'b'], [0, 0, 1, 1]],
    ['token ids', 'text', { prompt: [1, 2, 3] }, [[1, 2, 3]], [0]],
    ['lists of token ids', 'text', { prompt: [[1, 2], [3]] }, [[1, 2], [3]], [0, 1]],
    [
      'lists of token ids × choices',
      'text',
      { prompt: [[1], [2]], n: 2 },
      [[1], [1], [2], [2]],
      [0, 0, 1, 1],
    ],
    ['n of null', 'text', { prompt: 'a', n: null }, ['a'], [0]],
    ['a chat', 'chat', { messages: [] }, [undefined], [0]],
    ['a chat with choices', 'chat', { messages: [], n: 3 }, [undefined, undefined, undefined], [0, 0, 0]],
  ]
  test.for(cases)('of %s', ([, kind, body, prompts, promptIndices]) => {
    const parts = splitCall(aCall({ kind, body: { ...body, temperature: 0.5 }, source: '{}' }), 100)
    expect(parts.map(({ call }) => call.body.value['prompt'])).toEqual(prompts)
    expect(parts.map(({ promptIndex }) => promptIndex)).toEqual(promptIndices)
    expect(parts.map(({ index }) => index)).toEqual(prompts.map((_, index) => index))
    for (const { call } of parts) {
      expect(call.body).toMatchObject({ temperature: 0.5 })
      expect(call.body.value).not.toHaveProperty('n')
      expect(call.body.isWritten).toBe(false)
      expect(isSinglePart(call)).toBe(true)
    }
  })

  test('have the index prompt × n + choice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), (prompts, n) => {
        const prompt = Array.from({ length: prompts }, (_, at) => `prompt ${at}`)
        const parts = splitCall(aCall({ body: { prompt, n } }), 144)
        expect(parts.length).toBe(prompts * n)
        let index = 0
        for (let p = 0; p < prompts; p++) {
          for (let k = 0; k < n; k++) {
            expect(parts[index]).toMatchObject({ index: p * n + k, promptIndex: p })
            expect(parts[index]?.call.body.value['prompt']).toBe(`prompt ${p}`)
            index++
          }
        }
      }),
    )
  })

  test('leave the caller’s own body unchanged', () => {
    const body = { prompt: ['a', 'b'], n: 2, best_of: 2 }
    splitCall(aCall({ body }), 10)
    expect(body).toEqual({ prompt: ['a', 'b'], n: 2, best_of: 2 })
  })
})

describe('best_of', () => {
  /** n, best_of, and the result: candidates, and whether each has logprobs. */
  const cases: [unknown, unknown, number, boolean][] = [
    [undefined, undefined, 1, false],
    [undefined, 1, 1, false],
    [2, 2, 2, false],
    [3, 2, 3, false],
    [1, 3, 3, true],
    [2, 3, 3, true],
    [undefined, 5, 5, true],
    [2, null, 2, false],
    [2, 0, 2, false],
  ]
  test.for(cases)('n %o, best_of %o: %i candidates, logprobs %o', ([n, bestOf, candidates, scored]) => {
    const parts = splitCall(aCall({ body: { prompt: ['a', 'b'], n, best_of: bestOf } }), 10)
    expect(parts.map(({ promptIndex }) => promptIndex)).toEqual([
      ...Array(candidates).fill(0),
      ...Array(candidates).fill(1),
    ])
    for (const { call } of parts) {
      expect(call.body).not.toHaveProperty('best_of')
      expect(call.body.value['logprobs']).toBe(scored ? 1 : undefined)
    }
  })

  test('is ignored in a chat', () => {
    expect(splitCall(aCall({ kind: 'chat', body: { messages: [], best_of: 3 } }), 10)).toHaveLength(1)
  })
})

describe('more choices than allowed', () => {
  const cases: [JsonObject, number, string][] = [
    [{ prompt: ['a', 'b', 'c'] }, 3, 'prompt'],
    [{ prompt: 'a', n: 5 }, 5, 'n'],
    [{ prompt: ['a', 'b'], n: 3 }, 6, 'n'],
    [{ prompt: [[1], [2]] }, 2, 'prompt'],
    [{ prompt: 'a', n: 2, best_of: 5 }, 5, 'best_of'],
  ]
  test.for(cases)('%j requests %i, refused with %s', ([body, total, param]) => {
    expect(splitCall(aCall({ body }), total).length).toBe(total)
    expect(() => splitCall(aCall({ body }), total - 1)).toThrow(
      expect.objectContaining({
        kind: 'invalid_request',
        param,
        message: expect.stringContaining(`${total} completions`),
      }),
    )
  })

  test('are refused before any part is made', () => {
    expect(() => splitCall(aCall({ body: { prompt: 'a', n: Number.MAX_SAFE_INTEGER } }), 128)).toThrow(
      expect.objectContaining({ kind: 'invalid_request' }),
    )
  })
})

describe('a call is a single part', () => {
  const cases: [Kind, JsonObject, boolean][] = [
    ['text', { prompt: 'a' }, true],
    ['text', { prompt: 'a', n: 1 }, true],
    ['text', { prompt: 'a', n: null }, true],
    ['text', { prompt: [1, 2, 3] }, true],
    ['text', { prompt: 'a', n: 2 }, false],
    ['text', { prompt: [1, 2], n: 2 }, false],
    ['text', { prompt: 'a', best_of: 2 }, false],
    ['text', { prompt: 'a', best_of: 1 }, true],
    ['text', { prompt: 'a', best_of: 0 }, true],
    ['text', { prompt: ['a'] }, false],
    ['text', { prompt: ['a', 'b'] }, false],
    ['text', { prompt: [[1]] }, false],
    ['chat', { messages: [] }, true],
    ['chat', { messages: [], n: 1 }, true],
    ['chat', { messages: [], n: 2 }, false],
  ]
  test.for(cases)('%s %j: %o', ([kind, body, single]) => {
    expect(isSinglePart(aCall({ kind, body }))).toBe(single)
  })
})

describe('a part’s delta in the whole answer', () => {
  const [, second] = splitCall(aCall({ body: { prompt: ['a', 'b'] } }), 10)
  const shared = { id: 'shared', created: 1, model: 'one' }
  test.for([textChunk('b', 'stop'), chatReply({ content: 'b' })])('%j', (chunk) => {
    const delta = JsonText.read(chunk, 'wire') as unknown as Delta
    const before = structuredClone(chunk)
    if (second === undefined) throw new Error('There are two prompts.')
    const placed = placeDelta(delta, second, shared)
    const [choice] = chunk['choices'] as JsonObject[]
    expect(placed.isWritten).toBe(false)
    expect(placed.value).toEqual({ ...chunk, ...shared, choices: [{ ...choice, index: 1 }] })
    expect(identityOf(placed)).toEqual(shared)
    expect(chunk).toEqual(before)
  })
})

describe('a call is split if one request holds less', () => {
  const all = { text: false, chat: false }
  const one = { text: true, chat: true }
  const cases: [string, Kind, JsonObject, Parameters<typeof isSplitAt>[1], boolean][] = [
    [
      'nothing is, if everything is supported',
      'text',
      { prompt: ['a', 'b'], n: 2 },
      { oneChoice: all },
      false,
    ],
    ['choices are, if one is returned', 'text', { prompt: 'a', n: 2 }, { oneChoice: one }, true],
    ['prompts are, for chats', 'text', { prompt: ['a', 'b'] }, { oneChoice: all, kinds: ['chat'] }, true],
    ['choices are not, for chats', 'text', { prompt: 'a', n: 2 }, { oneChoice: all, kinds: ['chat'] }, false],
    [
      'choices are, for chats of one',
      'text',
      { prompt: 'a', n: 2 },
      { oneChoice: { text: false, chat: true }, kinds: ['chat'] },
      true,
    ],
    [
      'a chat’s choices are, if texts have one',
      'chat',
      { messages: [], n: 2 },
      { oneChoice: { text: true, chat: false }, kinds: ['text'] },
      true,
    ],
  ]
  test.for(cases)('%s', ([, kind, body, upstream, split]) => {
    expect(isSplitAt(aCall({ kind, body }), upstream)).toBe(split)
  })
})
