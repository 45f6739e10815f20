import fc from 'fast-check'
import { expect, test } from 'vitest'
import { beforeStop, countWords, splitWords } from '../../../src/simulator/script/answer.ts'

const blank = fc.constantFrom(' ', '\n', '\t', '\u00a0', '\u2028', '\ufeff')
const texts = fc.string({ unit: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 3 }), blank) })

test('the words of any text join to the text', () => {
  fc.assert(fc.property(texts, (text) => splitWords(text).join('') === text))
})

test('a text has as many pieces as words', () => {
  fc.assert(
    fc.property(texts, (text) => {
      fc.pre(text.trim() !== '')
      expect(splitWords(text)).toHaveLength(countWords(text))
    }),
  )
})

test.for([
  ['', []],
  ['  \n', ['  \n']],
  [' a  b ', [' a', '  b ']],
] as const)('%j is split into %j', ([text, words]) => {
  expect(splitWords(text)).toEqual(words)
})

test('white space without end is split in one go', () => {
  expect(splitWords(' '.repeat(1_000_000))).toHaveLength(1)
})

test.for([
  ['abc', [], 'abc'],
  ['abc', [''], 'abc'],
  ['abc', ['c', 'b'], 'a'],
  ['abc', ['abc'], ''],
] as const)('%j up to one of %j is %j', ([text, stop, kept]) => {
  expect(beforeStop(text, stop)).toBe(kept)
})
