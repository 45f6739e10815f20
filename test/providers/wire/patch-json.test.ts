import fc from 'fast-check'
import { expect, test } from 'vitest'
import { patchJson } from '../../../src/providers/wire/patch-json.ts'

const cases: readonly (readonly [
  name: string,
  text: string,
  edits: Record<string, string>,
  spliced: string,
])[] = [
  ['a member is replaced', '{"a":1,"model":"x","b":2}', { model: '"y"' }, '{"a":1,"model":"y","b":2}'],
  ['the last member is replaced', '{"a":1,"model":"x"}', { model: '"y"' }, '{"a":1,"model":"y"}'],
  ['a member is added', '{"a":1}', { b: '{"c":2}' }, '{"a":1,"b":{"c":2}}'],
  ['a member is added to nothing', ' { } ', { b: '2' }, ' { "b":2} '],
  ['white space stays', '{ "a" : 1 ,\n "b" : [ 2 ] }\n', { a: '3' }, '{ "a" : 3 ,\n "b" : [ 2 ] }\n'],
  ['space before a value stays', '{"a":\t1 }', { b: '2' }, '{"a":\t1 ,"b":2}'],
  [
    'members further in are left alone',
    '{"a":{"model":"x"},"model":"x"}',
    { model: '"y"' },
    '{"a":{"model":"x"},"model":"y"}',
  ],
  [
    'text that looks like a member is left alone',
    '{"a":"\\"model\\":\\"x\\"","model":"x"}',
    { model: '"y"' },
    '{"a":"\\"model\\":\\"x\\"","model":"y"}',
  ],
  [
    'a string that ends in backslashes',
    '{"a":"\\\\\\\\","model":"x"}',
    { model: '"y"' },
    '{"a":"\\\\\\\\","model":"y"}',
  ],
  ['a key is found however it is spelled', '{"mod\\u0065l":"x"}', { model: '"y"' }, '{"mod\\u0065l":"y"}'],
  ['every one of a key given twice is replaced', '{"a":1,"a":2}', { a: '3' }, '{"a":3,"a":3}'],
  [
    'numbers keep their digits',
    '{"seed":9223372036854775807,"t":1.0,"a":1}',
    { a: '2' },
    '{"seed":9223372036854775807,"t":1.0,"a":2}',
  ],
  ['nothing is changed by no edit', '{"a":[1,{"b":null}],"c":true}', {}, '{"a":[1,{"b":null}],"c":true}'],
  ['a key called __proto__ is a key', '{"__proto__":1}', { a: '2' }, '{"__proto__":1,"a":2}'],
  ['a key called toString is a key', '{"toString":1}', { a: '2' }, '{"toString":1,"a":2}'],
]

test.for(cases)('%s', ([, text, edits, spliced]) => {
  expect(patchJson(text, edits)).toBe(spliced)
})

const keys = fc.oneof(
  fc.constantFrom('model', 'stream_options', 'a', '', '"', '\\', ':', '}', ','),
  fc.string(),
)
const objects = fc.dictionary(keys, fc.jsonValue(), { maxKeys: 8 })

test('the text reads as the object with its members set', () => {
  fc.assert(
    fc.property(objects, objects, fc.constantFrom('', '  ', '\t'), (object, changes, indent) => {
      const edits = Object.fromEntries(
        Object.entries(changes).map(([key, value]) => [key, JSON.stringify(value)]),
      )
      const spliced = patchJson(JSON.stringify(object, null, indent), edits)
      const expected = JSON.parse(JSON.stringify({ ...object, ...changes }))
      expect(JSON.parse(spliced)).toEqual(expected)
    }),
    { numRuns: 2000 },
  )
})
