import { expect, test } from 'vitest'
import { parseAnswer } from '../../../src/providers/wire/wire-answer.ts'

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

test.for<readonly [string, string, unknown]>([
  ['an object', '{"a":[1]}', { a: [1] }],
  ['a text', '"a"', 'a'],
  ['brackets in a text', JSON.stringify('['.repeat(1000)), '['.repeat(1000)],
  ['no JSON', '{"a":', undefined],
  ['nothing', '', undefined],
])('%s is read as what it is', ([, text, value]) => {
  expect(parseAnswer(text)).toEqual(value)
})

test('a number keeps its digits', () => {
  expect(JSON.stringify(parseAnswer('{"seed":12192233397672327000123}'))).toBe(
    '{"seed":12192233397672327000123}',
  )
})

test('what is nested as deep as 256 is read, and deeper is not', () => {
  expect(JSON.stringify(parseAnswer(nested(256)))).toBe(nested(256))
  expect(parseAnswer(nested(257))).toBeUndefined()
  expect(parseAnswer(`{"a":${nested(256)}}`)).toBeUndefined()
  expect(parseAnswer(nested(100_000))).toBeUndefined()
})
