import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type JsonObject, parseJson } from '../../../../src/core/model/json/json.ts'
import { JsonText } from '../../../../src/core/model/json/json-text.ts'

describe('members are set within the existing text', () => {
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
    ['without edits nothing changes', '{"a":[1,{"b":null}],"c":true}', {}, '{"a":[1,{"b":null}],"c":true}'],
    ['a key called __proto__ is a key', '{"__proto__":1}', { a: '2' }, '{"__proto__":1,"a":2}'],
    ['a key called toString is a key', '{"toString":1}', { a: '2' }, '{"toString":1,"a":2}'],
  ]

  test.for(cases)('%s', ([, text, edits, spliced]) => {
    expect(read(text).with(valuesOf(edits)).text).toBe(spliced)
  })
})

describe('members are removed from the text', () => {
  test.for<[name: string, text: string, edits: JsonObject, left: string]>([
    ['the first', '{"a":1, "b":2}', { a: undefined }, '{"b":2}'],
    ['one in the middle', '{"a":1,"b":2,"c":3}', { b: undefined }, '{"a":1,"c":3}'],
    ['the last', '{"a":1, "b":2 }', { b: undefined }, '{"a":1 }'],
    ['the only one', '{ "a":1 }', { a: undefined }, '{  }'],
    ['all of them', '{"a":1,"b":2}', { a: undefined, b: undefined }, '{}'],
    ['all of them, and one is added', '{"a":1,"b":2}', { a: undefined, b: undefined, c: 3 }, '{"c":3}'],
    ['one that is there twice', '{"a":1,"b":2,"a":3}', { a: undefined }, '{"b":2}'],
    ['one that is not there', '{"a":1}', { b: undefined }, '{"a":1}'],
    ['the last, and another is changed', '{"a":1,"b":2}', { a: 3, b: undefined }, '{"a":3}'],
  ])('%s', ([, text, edits, left]) => {
    expect(read(text).with(edits).text).toBe(left)
  })
})

describe('a value and its text stay consistent', () => {
  const text = '{ "seed":9223372036854775807, "model":"m" }'

  test('an unchanged value is forwarded in its original bytes', () => {
    const bytes = Buffer.from(text)
    expect(JsonText.read(parse(text), text, bytes).wire).toBe(bytes)
  })

  test('a change makes a new text, and leaves the original as it was', () => {
    const sent = JsonText.read(parse(text), text, Buffer.from(text))
    const changed = sent.with({ model: 'n' })
    expect(changed.wire).toBe('{ "seed":9223372036854775807, "model":"n" }')
    expect(changed.value).toMatchObject({ model: 'n' })
    expect(sent.text).toBe(text)
    expect(sent.value['model']).toBe('m')
  })

  test('several changes end up in one text', () => {
    const twice = read(text).with({ model: 'n', stream: true }).with({ stream: undefined, model: 'o' })
    expect(twice.text).toBe('{ "seed":9223372036854775807, "model":"o" }')
  })

  test('an object made here is serialised when its text is read', () => {
    const made = JsonText.of({ model: 'm' }).with({ model: 'n' })
    expect(made.isWritten).toBe(false)
    expect(made.text).toBe('{"model":"n"}')
  })

  test('without its bytes it is the same value', () => {
    const kept = JsonText.read(parse(text), text, Buffer.from(text)).withoutBytes()
    expect(kept.wire).toBe(text)
  })

  test('inside another value it is serialised as its own value', () => {
    expect(JSON.stringify({ body: read('{"a":[1]}') })).toBe('{"body":{"a":[1]}}')
  })
})

// V8 13.6 (Node 24.21) may read the key `\"` as `\\` where an object with that key was parsed before: not both are here.
const keys = fc.oneof(
  fc.constantFrom('model', 'stream_options', 'a', '', '"', ':', '}', ','),
  fc.string().filter((key) => !key.includes('\\')),
)
const objects = fc.dictionary(keys, fc.jsonValue(), { maxKeys: 8 })

test('the text parses to the object with its members set', () => {
  fc.assert(
    fc.property(objects, objects, fc.constantFrom('', '  ', '\t'), (object, changes, indent) => {
      const spliced = read(JSON.stringify(object, null, indent)).with(changes).text
      const expected = JSON.parse(JSON.stringify({ ...object, ...changes }))
      expect(JSON.parse(spliced)).toEqual(expected)
    }),
    { numRuns: 2000 },
  )
})

test('the text parses to the object without the removed members', () => {
  fc.assert(
    fc.property(objects, fc.array(keys), fc.constantFrom('', '  ', '\t'), (object, taken, indent) => {
      const edits = Object.fromEntries(taken.map((key) => [key, undefined]))
      const left = read(JSON.stringify(object, null, indent)).with(edits)
      const expected = Object.fromEntries(Object.entries(object).filter(([key]) => !taken.includes(key)))
      expect(JSON.parse(left.text)).toEqual(JSON.parse(JSON.stringify(expected)))
      expect(JSON.stringify(left.value)).toBe(JSON.stringify(JSON.parse(left.text)))
    }),
    { numRuns: 2000 },
  )
})

function parse(text: string): JsonObject {
  return parseJson(text) as JsonObject
}

function read(text: string): JsonText {
  return JsonText.read(parse(text), text)
}

function valuesOf(texts: Record<string, string>): JsonObject {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, parseJson(text)]))
}

describe('repeated keys', () => {
  const repeated: readonly (readonly [name: string, text: string, once: string])[] = [
    ['of the object', '{"n":9,"a":[{"b":":"}],"n":1}', '{"n":1,"a":[{"b":":"}]}'],
    ['spelled in two ways', '{"max\\u005ftokens":9,"max_tokens":1}', '{"max_tokens":1}'],
    ['of an object further in', '{"a":[{"b":1},{"b":[2],"b":{"c":3}}]}', '{"a":[{"b":1},{"b":{"c":3}}]}'],
  ]

  test.for(repeated)('%s are written once, the last of them', ([, text, once]) => {
    expect(read(text).withoutRepeats().text).toBe(once)
    expect(read(text).with({ x: 1 }).withoutRepeats().text).toBe(`${once.slice(0, -1)},"x":1}`)
  })

  test('a text without any is left as it is, byte for byte', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const own = read(JSON.stringify(value, null, 1))
        expect(own.withoutRepeats()).toBe(own)
      }),
    )
    const raw = read('{"seed": 9223372036854775807, "e": {}}')
    expect(raw.withoutRepeats()).toBe(raw)
  })
})
