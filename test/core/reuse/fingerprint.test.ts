import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Call, Steering } from '../../../src/core/model/call.ts'
import { isObject, type JsonObject, parseJson } from '../../../src/core/model/json/json.ts'
import { fingerprint, isDeterministic } from '../../../src/core/reuse/fingerprint.ts'
import { aCall } from '../../harness/scripted-upstream.ts'

const chatBody = '{"model":"m","messages":[{"role":"user","content":"Hi"}],"temperature":0}'

const steering: Steering = {
  models: [],
  order: [],
  only: ['together'],
  ignore: [],
  strategy: undefined,
  maxPrice: undefined,
  allowFallbacks: true,
}

describe('one answer serves calls that differ in', () => {
  type Case = readonly [string, string, Partial<Call>?]
  const cases: readonly Case[] = [
    ['nothing', chatBody],
    ['the order of keys', '{"temperature":0,"messages":[{"content":"Hi","role":"user"}],"model":"m"}'],
    [
      'white space and escapes',
      ` { "model": "m", "messages":[{"role":"user","content":"\\u0048i"}],"temperature":0}`,
    ],
    [
      'how a number is written',
      '{"model":"m","messages":[{"role":"user","content":"Hi"}],"temperature":0.0}',
    ],
    ['whether it streams', chatBody.replace('{', '{"stream":true,"stream_options":{"include_usage":true},')],
    ['who the end user is', chatBody.replace('{', '{"user":"u",')],
    ['a null that might be missing', chatBody.replace('{', '{"seed":null,')],
    ['a suffix that was read from the name', chatBody.replace('"m"', '"m:x"')],
    ['id, dialect and time', chatBody, { id: 'req_2', dialect: 'inference', deadlineMs: 5, stream: true }],
  ]
  test('the billing line that Claude Code puts at the head of its prompts', () => {
    const body = (hash: string) =>
      `{"messages":[{"role":"system","content":"x-anthropic-billing-header: cch=${hash};\\nBe."}]}`
    expect(fingerprintOf(body('a'))).toBe(fingerprintOf(body('b')))
  })

  test.for(cases)('%s', ([, body, change]) => {
    expect(fingerprintOf(body, change)).toBe(fingerprintOf(chatBody))
  })
})

describe('no answer serves calls that differ in', () => {
  type Case = readonly [string, string, Partial<Call>?, string?]
  const cases: readonly Case[] = [
    ['the tenant', chatBody, {}, 'another'],
    ['whether there is a tenant', chatBody, {}, ''],
    ['the credential', chatBody, { credential: 'pk_1' }],
    ['which of both is which', chatBody, { credential: 'tenant' }, 'undefined'],
    ['kind', chatBody, { kind: 'text' }],
    ['model', chatBody, { model: 'n' }],
    ['where it may run', chatBody, { steering }],
    ['words', chatBody.replace('Hi', 'hi')],
    ['an unknown field', chatBody.replace('{', '{"x-odd":1,')],
    ['null within a field', chatBody.replace('"Hi"', '"Hi","name":null')],
    ['text and number', chatBody.replace('"temperature":0', '"temperature":"0"')],
    ['a user within a message', chatBody.replace('"Hi"', '"Hi","user":"u"')],
    ['the order of a list', chatBody.replace('0}', '0,"stop":["a","b"]}')],
    ['the same, the other way round', chatBody.replace('0}', '0,"stop":["b","a"]}')],
    ['one name or two', chatBody.replace('0}', '0,"stop":["a,b"]}')],
    ['a digit beyond the precision of a double', chatBody.replace('0}', '0,"seed":9007199254740993}')],
    ['the one next to it', chatBody.replace('0}', '0,"seed":9007199254740992}')],
    ['the same digits as text', chatBody.replace('0}', '0,"seed":"9007199254740993"}')],
    ['an object that looks like it', chatBody.replace('0}', '0,"seed":{"rawJSON":"9007199254740993"}}')],
  ]
  test('any of these members', () => {
    const prints = cases.map(([, body, change, tenant = 'tenant']) => fingerprintOf(body, change, tenant))
    expect(new Set([...prints, fingerprintOf(chatBody)]).size).toBe(cases.length + 1)
  })

  test('a tenant with an empty name', () => {
    const call = callOf(chatBody)
    const prints = ['', 'null', 'undefined'].map((tenant) => fingerprint(call, tenant))
    expect(new Set(prints).size).toBe(3)
  })
})

test('the order of keys makes no difference at any depth; every other change does', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (one, other) => {
      const print = (value: unknown) => fingerprint(aCall({ body: { value } }), '')
      expect(print(reversed(one))).toBe(print(one))
      if (sorted(one) !== sorted(other)) expect(print(one)).not.toBe(print(other))
    }),
  )
})

test('no secret can be read from it', () => {
  const print = fingerprint(callOf(chatBody, { credential: 'pk_secret' }), 'team')
  expect(print).toMatch(/^[\w-]{43}$/)
})

describe('a call is deterministic', () => {
  test.for<readonly [string, boolean]>([
    ['{"temperature":0}', true],
    ['{"temperature":0.0,"n":1,"best_of":1}', true],
    ['{"temperature":0,"n":null,"best_of":null,"seed":null}', true],
    ['{"seed":0}', true],
    ['{"seed":7,"temperature":1}', true],
    ['{"seed":9007199254740993}', true],
    ['{}', false],
    ['{"temperature":null,"seed":null}', false],
    ['{"temperature":1e-9}', false],
    ['{"temperature":1}', false],
    ['{"temperature":"0"}', false],
    ['{"temperature":0,"n":2}', false],
    ['{"temperature":0,"best_of":2}', false],
    ['{"seed":1,"n":2}', false],
  ])('%s: %j', ([body, expected]) => {
    expect(isDeterministic(callOf(body))).toBe(expected)
  })
})

function fingerprintOf(body: string, change: Partial<Call> = {}, tenant = 'tenant'): string {
  return fingerprint(callOf(body, change), tenant)
}

function callOf(text: string, change: Partial<Call> = {}): Call {
  return aCall({ kind: 'chat', model: 'm', body: parseJson(text) as JsonObject, ...change })
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  )
}

/** JSON text with its keys in alphabetical order. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, member) =>
    isObject(member)
      ? Object.fromEntries(
          Object.entries(member).sort(([one], [other]) => one.localeCompare(other) || (one < other ? -1 : 1)),
        )
      : member,
  )
}
