import fc from 'fast-check'
import { expect, test } from 'vitest'
import { objectIn } from '../../../src/core/model/json/json.ts'
import { createJsonObjectWriter } from '../../../src/dialects/shared/json-object-writer.ts'

test.for([
  [['{}'], [true]],
  [
    ['', ' ', '{', '}'],
    [false, false, false, true],
  ],
  [
    ['{"a":{"b":1}', '}'],
    [false, true],
  ],
  [
    ['{"a":"}', '\\"}"', '}'],
    [false, false, true],
  ],
  [
    ['{"a":"\\\\"', '}'],
    [false, true],
  ],
  [
    ['{"a', '":"\\', '"', '}"', '}'],
    [false, false, false, false, true],
  ],
  [
    ['[{}', ']'],
    [false, false],
  ],
  [['null'], [false]],
  [
    ['{a}', '{}'],
    [false, false],
  ],
  [
    ['}', '{}'],
    [false, false],
  ],
] as const)('%j is whole after which of its pieces: %j', ([pieces, whole]) => {
  const spelled = createJsonObjectWriter()
  const asked = pieces.map((piece) => {
    spelled.add(piece)
    return spelled.isWhole()
  })
  expect(asked).toEqual(whole)
  expect(spelled.text()).toBe(pieces.join(''))
})

test('however it is cut, an object is whole with its last character and no sooner', () => {
  const object = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }))
  const cuts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 })
  fc.assert(
    fc.property(object, cuts, (value, lengths) => {
      const text = JSON.stringify(value)
      const spelled = createJsonObjectWriter()
      for (let at = 0, cut = 0; at < text.length; cut++) {
        const length = lengths[cut % lengths.length] ?? 1
        spelled.add(text.slice(at, at + length))
        at += length
        expect(spelled.isWhole()).toBe(at >= text.length)
      }
    }),
  )
})

test('what is nested deeper than can be read is none', () => {
  const depth = 200_000
  const spelled = createJsonObjectWriter()
  spelled.add(`${'{"a":'.repeat(depth)}12345678901234567890${'}'.repeat(depth)}`)
  expect(() => spelled.isWhole()).not.toThrow()
  expect(objectIn('{"a":1} ')).toEqual({ a: 1 })
})
