import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasProtoKey, isObject, nearest, objectIn, parseJson } from '../../../../src/core/model/json/json.ts'
import { depthOf } from '../../../../src/core/model/json/json-scan.ts'

describe('a number is written back digit for digit', () => {
  const kept = [
    '9007199254740992',
    '9007199254740993',
    '-9007199254740993',
    '12345678901234567890',
    '123456789012345678901234567890',
    '9007199254740993.5',
    '12345678.901234567e9',
    '1.2345678901234567890e30',
    '1e309',
    '-1E+400',
    '123e0307',
    '0.12345678901234567890',
    '3.14159265358979323846',
    '1e-400',
    `0.${'0'.repeat(400)}1`,
  ]
  test.for(kept)('%s', (digits) => {
    expect(JSON.stringify(parseJson(digits))).toBe(digits)
    expect(JSON.stringify(parseJson(`{"seed": [${digits}]}`))).toBe(`{"seed":[${digits}]}`)
  })

  test('for any integer', () => {
    fc.assert(
      fc.property(fc.bigInt(), (integer) => {
        expect(JSON.stringify(parseJson(`${integer}`))).toBe(`${integer}`)
      }),
    )
  })

  test('for any position of the decimal point', () => {
    const spelled = fc.tuple(fc.bigInt({ min: 1n, max: 10n ** 40n }), fc.nat(40)).map(([digits, places]) => {
      const text = `${digits}`
      const at = Math.max(1, text.length - places)
      const fraction = text.slice(at)
      return fraction === '' ? text : `${text.slice(0, at)}.${fraction}e${fraction.length}`
    })
    fc.assert(
      fc.property(spelled, (text) => {
        expect(integerOf(JSON.stringify(parseJson(text)))).toBe(integerOf(text))
      }),
    )
  })
})

describe('a number that fits a double stays a number', () => {
  const numbers = ['0', '-1', '0.7', '1e3', '1E-7', '9007199254740991', '-9007199254740991']
  // As a double is written, at most; zeros add nothing to that.
  const fractions = [
    '0.12345678901234567',
    '33554432.000000003',
    '-1.00000000000000000000',
    '0e-400',
    '5e-324',
  ]
  test.for([...numbers, ...fractions])('%s', (digits) => {
    expect(parseJson(digits)).toBe(Number(digits))
    expect(parseJson(`{"n": ${digits}, "pad": 1234567890123456789}`)).toMatchObject({ n: Number(digits) })
  })
})

test('a number that keeps its digits converts to a number', () => {
  expect([nearest(parseJson('0.12345678901234567890')), nearest('1'), nearest(null)]).toEqual([
    0.12345678901234568,
    '1',
    null,
  ])
})

test('everything but the large numbers is as JSON.parse gives it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value)
      expect(JSON.stringify(parseJson(text))).toBe(text)
      const padded = `[${text},"1234567890123456789"]`
      expect(JSON.stringify(parseJson(padded))).toBe(padded)
    }),
  )
})

test.for(['', '{', '{"a":1234567890123456789', '[1e999,]', 'nul', "{'a':1}"])(
  '%j is a SyntaxError',
  (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError)
  },
)

test('an object is recognised; null, an array and a raw number are not objects', () => {
  expect(isObject({})).toBe(true)
  expect(isObject(JSON.parse('{"a":1}'))).toBe(true)
  for (const other of [null, [], 'a', 1, undefined, parseJson('1e999')]) expect(isObject(other)).toBe(false)
})

describe('the depth of a text', () => {
  const cases: [string, number][] = [
    ['1', 0],
    ['"[[["', 0],
    ['{}', 1],
    ['[]', 1],
    ['[[],[[]]]', 3],
    ['{"a":{"b":[]}}', 3],
    ['{"[[[[":"]]]]"}', 1],
    ['["\\"[[",[]]', 2],
    ['["\\\\",[]]', 2],
    ['["\\"",[]]', 2],
    ['["\\\\\\"[",[]]', 2],
    ['["\\u005b",[]]', 2],
    ['["unclosed [[[', 1],
  ]
  test.for(cases)('of %s is %i', ([text, depth]) => {
    expect(depthOf(text, 100)).toBe(depth)
  })

  test('does not depend on the formatting, and is counted to one past the limit at most', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 8 }),
        fc.nat(10),
        fc.constantFrom('', ' ', '\t'),
        (value, limit, indent) => {
          const text = JSON.stringify(value, null, indent)
          expect(depthOf(text, limit)).toBe(Math.min(depthOfValue(JSON.parse(text)), limit + 1))
        },
      ),
    )
  })

  test('of a million open brackets is reported at the limit', () => {
    expect(depthOf('['.repeat(1_000_000), 64)).toBe(65)
  })

  test('of a string of a million quotes and backslashes is zero', () => {
    expect(depthOf(JSON.stringify('\\"['.repeat(300_000)), 64)).toBe(0)
  })
})

describe('a __proto__ key', () => {
  const found = [
    '{"__proto__":1}',
    '{"__proto__":null}',
    '{"\\u005f_proto__":{}}',
    '{"\\u005F\\u005F\\u0070roto\\u005f\\u005f":{}}',
    '[{"a":[0,{"b":{"__proto__":[]}}]}]',
    '{"seed":12345678901234567890,"__proto__":{"admin":true}}',
  ]
  test.for(found)('is found in %s', (text) => {
    expect(hasProtoKey(parseJson(text))).toBe(true)
  })

  const absent = [
    '{}',
    'null',
    '1',
    '"__proto__"',
    '["__proto__"]',
    '{"proto":1}',
    '{"a":"__proto__"}',
    '1e999',
  ]
  test.for(absent)('is not found in %s', (text) => {
    expect(hasProtoKey(parseJson(text))).toBe(false)
  })

  test('is found at any depth', () => {
    const depth = 100_000
    const text = `${'['.repeat(depth)}{"__proto__":1}${']'.repeat(depth)}`
    expect(hasProtoKey(parseJson(text))).toBe(true)
  })
})

function depthOfValue(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOfValue))
}

/** The integer a JSON number stands for, by exact arithmetic. */
function integerOf(text: string): bigint {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return BigInt(whole + fraction) * 10n ** BigInt(Number(exponent) - fraction.length)
}

test.for([
  ['{"a":{"b":[1]}}', { a: { b: [1] } }],
  ['[1]', undefined],
  ['"x"', undefined],
  ['{"a":', undefined],
  ['', undefined],
  [`{"a":${'['.repeat(256)}${']'.repeat(256)}}`, undefined],
] as const)('the object in %s', ([text, object]) => {
  expect(objectIn(text)).toEqual(object)
})
