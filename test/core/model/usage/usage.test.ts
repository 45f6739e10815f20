import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson } from '../../../../src/core/model/json/json.ts'
import { addUsage, readUsage, writeUsage } from '../../../../src/core/model/usage/usage.ts'

describe('a count reported by an upstream', () => {
  const absurd = 100_000_000
  const cases: [unknown, number | undefined, boolean][] = [
    [0, 0, false],
    [17, 17, false],
    [absurd, absurd, false],
    [undefined, undefined, false],
    [null, undefined, false],
    [-1, undefined, true],
    [absurd + 1, undefined, true],
    [1e300, undefined, true],
    [Number.POSITIVE_INFINITY, undefined, true],
    [Number.NEGATIVE_INFINITY, undefined, true],
    [2.6, undefined, true],
    [Number.NaN, undefined, true],
    ['12', undefined, true],
    [true, undefined, true],
    [[3], undefined, true],
    [parseJson('1e400'), undefined, true],
  ]
  test.for(cases)('of %o is read as %o, flagged: %o', ([claimed, count, flagged]) => {
    for (const [key, other] of [
      ['prompt_tokens', 'completion_tokens'],
      ['completion_tokens', 'prompt_tokens'],
    ] as const) {
      const flags = new Set<string>()
      const usage = readUsage({ [key]: claimed, [other]: 5 }, flags)
      const counts = { prompt_tokens: usage?.promptTokens, completion_tokens: usage?.completionTokens }
      expect(counts).toEqual({ [key]: count, [other]: 5 })
      expect([...flags]).toEqual(flagged ? ['usage_clamped'] : [])
    }
  })
})

test.for([null, undefined, 7, 'many', [], parseJson('1e999')])('%o is not a usage', (value) => {
  const flags = new Set<string>()
  expect(readUsage(value, flags)).toBeUndefined()
  expect(flags.size).toBe(0)
})

test('a consistent usage of an upstream is written unchanged', () => {
  const raw = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, cached_tokens: 1 }
  expect(writeUsage(raw, 3, 4)).toBe(raw)
})

test('a total that does not add up is corrected, and the details kept', () => {
  const raw = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 9, cached_tokens: 1 }
  expect(writeUsage(raw, 3, 4)).toEqual({ ...raw, total_tokens: 7 })
  expect(raw.total_tokens).toBe(9)
})

test('the usage of a single answer is unchanged', () => {
  const one = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, cached_tokens: 1 }
  expect(addUsage([one])).toBe(one)
})

test('several usages are summed, without details', () => {
  const one = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, cached_tokens: 1 }
  expect(addUsage([one, one])).toEqual({ prompt_tokens: 6, completion_tokens: 8, total_tokens: 14 })
})

test('for any reported usage, the written counts are whole numbers that add up', () => {
  const count = fc.oneof(fc.double(), fc.integer(), fc.string(), fc.constant(null), fc.constant(undefined))
  const claim = fc.record({ prompt_tokens: count, completion_tokens: count, total_tokens: count })
  fc.assert(
    fc.property(claim, (claimed) => {
      const read = readUsage(claimed, new Set())
      const usage = writeUsage(claimed, read?.promptTokens ?? 1, read?.completionTokens ?? 1)
      for (const key of ['prompt_tokens', 'completion_tokens', 'total_tokens'] as const) {
        expect(Number.isSafeInteger(usage[key]) && usage[key] >= 0).toBe(true)
      }
      expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens)
    }),
  )
})
