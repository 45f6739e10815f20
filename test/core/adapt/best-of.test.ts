import { describe, expect, test } from 'vitest'
import { candidateBody, candidatesOf, rankChoices } from '../../../src/core/adapt/best-of.ts'
import type { Delta } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import { aCall } from '../../harness/scripted-upstream.ts'

/** A candidate whose tokens have these logprobs. */
function candidate(
  index: number,
  text: string,
  logprobs: readonly (number | null)[],
  tokens: readonly string[] = [],
) {
  const scored = { tokens, token_logprobs: logprobs, top_logprobs: null, text_offset: [] }
  return { index, text, logprobs: scored, finish_reason: 'stop' }
}

function ranked(body: JsonObject, choices: readonly object[]) {
  const delta = JsonText.read({ id: 'x', choices, usage: { total_tokens: 9 } }, 'wire') as unknown as Delta
  return rankChoices(delta, aCall({ body }))
}

describe('the best', () => {
  test('are those with the highest mean, regardless of length, best first', () => {
    const choices = [
      candidate(0, 'poor', [-3]),
      candidate(1, 'long and good', [-1, -1, -1, -1, -1]),
      candidate(2, 'best', [-0.5]),
      candidate(3, 'silent', []),
    ]
    const { value: chunk, isWritten } = ranked({ prompt: 'p', n: 2, best_of: 4 }, choices)
    expect(isWritten).toBe(false)
    expect(chunk['usage']).toEqual({ total_tokens: 9 })
    expect(chunk.choices).toEqual([
      { index: 0, text: 'best', logprobs: null, finish_reason: 'stop' },
      { index: 1, text: 'long and good', logprobs: null, finish_reason: 'stop' },
    ])
  })

  test('are chosen per prompt, in any order of arrival', () => {
    const choices = [
      candidate(3, 'b good', [-1]),
      candidate(0, 'a poor', [-2]),
      candidate(2, 'b poor', [-2]),
      candidate(1, 'a good', [-1]),
    ]
    const { value: chunk } = ranked({ prompt: ['a', 'b'], best_of: 2 }, choices)
    expect(chunk.choices.map(({ index, text }) => [index, text])).toEqual([
      [0, 'a good'],
      [1, 'b good'],
    ])
  })

  test('keep their logprobs if those were requested', () => {
    const { value: chunk } = ranked({ prompt: 'p', best_of: 2, logprobs: 0 }, [
      candidate(0, 'a', [-2]),
      candidate(1, 'b', [-1]),
    ])
    expect(chunk.choices).toEqual([candidate(0, 'b', [-1])])
  })

  test('are ranked without an echoed prompt', () => {
    const tokens = ['pro', 'mpt', ' x']
    const choices = [
      candidate(0, 'prompt x', [null, -9, -1], tokens),
      candidate(1, 'prompt y', [null, -0.1, -2], tokens),
    ]
    const { value: chunk } = ranked({ prompt: 'prompt', best_of: 2, echo: true, logprobs: 1 }, choices)
    expect(chunk.choices.map(({ text }) => text)).toEqual(['prompt x'])
    const ids = ranked({ prompt: [7, 8], best_of: 2, echo: true, logprobs: 1 }, choices)
    expect(ids.value.choices.map(({ text }) => text)).toEqual(['prompt x'])
  })

  test('get their own prompt put before them, if the upstream did not echo it', () => {
    const choices = [0, 1, 2, 3].map((index) => candidate(index, ` ${index}`, [-index]))
    const { value: chunk } = ranked({ prompt: ['a', 'b'], best_of: 2, echo: true }, choices)
    expect(chunk.choices.map(({ text }) => text)).toEqual(['a 0', 'b 2'])
  })

  test('cannot be chosen without logprobs', () => {
    const bare = [0, 1].map((index) => ({ index, text: 'x', logprobs: null, finish_reason: 'stop' }))
    expect(() => ranked({ prompt: 'p', best_of: 2 }, bare)).toThrow(
      expect.objectContaining({ kind: 'unsupported', param: 'best_of' }),
    )
  })
})

test.for<[JsonObject, JsonObject]>([
  [
    { prompt: 'p', best_of: 2 },
    { prompt: 'p', logprobs: 1 },
  ],
  [
    { prompt: 'p', best_of: 2, logprobs: 0 },
    { prompt: 'p', logprobs: 0 },
  ],
  [
    { prompt: 'p', best_of: 2, echo: true },
    { prompt: 'p', logprobs: 1 },
  ],
  [
    { prompt: [1], best_of: 2, echo: true },
    { prompt: [1], logprobs: 1, echo: true },
  ],
  [
    { prompt: 'p', best_of: 2, echo: true, logprobs: 2 },
    { prompt: 'p', logprobs: 2, echo: true },
  ],
])('for %j a candidate is requested with %j', ([body, asked]) => {
  expect(candidateBody(body)).toEqual(asked)
})

test.for<[JsonObject, number]>([
  [{}, 1],
  [{ n: 3 }, 3],
  [{ best_of: 4 }, 4],
  [{ n: 3, best_of: 2 }, 3],
  [{ n: 2, best_of: 0 }, 2],
  [{ best_of: null }, 1],
])('%j has %i candidates', ([body, count]) => {
  expect(candidatesOf('text', body)).toBe(count)
})
