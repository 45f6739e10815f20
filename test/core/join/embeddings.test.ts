import { describe, expect, test } from 'vitest'
import { joinEmbeddings, splitInputs, validateEmbeddings } from '../../../src/core/join/embeddings.ts'
import type { Relay } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'

describe('the texts of one request', () => {
  test.for<[string, unknown, number, readonly unknown[]]>([
    ['one text', 'a', 2, ['a']],
    ['token ids, which are one text', [1, 2, 3], 2, [[1, 2, 3]]],
    ['as many as there may be', ['a', 'b'], 2, [['a', 'b']]],
    ['one more', ['a', 'b', 'c'], 2, [['a', 'b'], ['c']]],
    ['lists of token ids', [[1], [2], [3]], 1, [[[1]], [[2]], [[3]]]],
  ])('%s', ([, input, limit, expected]) => {
    expect(splitInputs(aCall({ input }), limit).map(({ body }) => body.value['input'])).toEqual(expected)
  })

  test('a call that is not split keeps its own text', () => {
    const call = aCall({ input: 'a' })
    expect(splitInputs(call, 5)[0]).toBe(call)
  })
})

const vector = [0.5, -2]
const packed = 'AAAAPwAAAMA='

describe('an answer', () => {
  test('that is valid is unchanged', () => {
    const body = answer([{ object: 'embedding', index: 0, embedding: vector }])
    const sent = JsonText.read(body, 'as sent')
    expect(validateEmbeddings(sent, aCall({ input: 'a' }))).toBe(sent)
  })

  test.for<[string, JsonObject, unknown, unknown]>([
    ['numbers if base64 was requested', { encoding_format: 'base64' }, vector, packed],
    ['base64 if numbers were requested', { encoding_format: 'float' }, packed, vector],
    ['base64 if nothing was requested', {}, packed, vector],
  ])('is converted to the requested encoding: %s', ([, asked, embedding, expected]) => {
    const call = aCall({ input: 'a', ...asked })
    const { value: body, isWritten } = validateEmbeddings(JsonText.read(answer([{ embedding }]), 'x'), call)
    expect(body['data']).toEqual([{ object: 'embedding', index: 0, embedding: expected }])
    expect(isWritten).toBe(false)
  })

  test('is sorted in the order of the texts', () => {
    const rows = [1, 0].map((index) => ({ object: 'embedding', index, embedding: [index] }))
    const { value: body } = validateEmbeddings(JsonText.of(answer(rows)), aCall({ input: ['a', 'b'] }))
    expect(body['data']).toEqual(rows.toReversed())
  })

  test.for<[string, JsonObject]>([
    ['none', {}],
    ['too few', answer([{ embedding: vector }])],
    ['the same place twice', answer([0, 0].map((index) => ({ index, embedding: vector })))],
    ['places beyond the texts', answer([0, 2].map((index) => ({ index, embedding: vector })))],
    ['invalid rows', answer([null, null])],
    ['vectors of nothing', answer([{ embedding: [] }, { embedding: [] }])],
    ['vectors of words', answer([{ embedding: ['a'] }, { embedding: ['b'] }])],
    ['no vectors', answer([{ index: 0 }, { index: 1 }])],
  ])('is refused with %s', ([, body]) => {
    const call = aCall({ input: ['a', 'b'] })
    expect(() => validateEmbeddings(JsonText.of(body), call)).toThrow(
      expect.objectContaining({ kind: 'invalid_response' }),
    )
  })
})

test.for<[string, JsonObject]>([
  ['one of bytes', answer([{ object: 'embedding', index: 0, embedding: 'AAA=' }])],
  ['one for each token', answer([{ object: 'embedding', index: 0, embedding: [[1], [2]] }])],
  ['one in each of several forms', answer([{ object: 'embedding', index: 0, embedding: { int8: [1] } }])],
  ['somewhere else', { id: 'x', embeddings: { float: [[1, 2]] } }],
])('a vector in an unknown format is forwarded: %s', ([, body]) => {
  const reply = JsonText.read(body, JSON.stringify(body))
  expect(validateEmbeddings(reply, aCall({ input: 'a' }))).toBe(reply)
})

describe('vectors of another length than requested', () => {
  const asked = { input: ['a', 'b'], dimensions: 2 }
  const rows = (...vectors: readonly unknown[]) => answer(vectors.map((embedding) => ({ embedding })))

  test.for<[string, JsonObject, JsonObject]>([
    ['longer', asked, rows([1, 2, 3], [1, 2, 3])],
    ['shorter', asked, rows([1], [1])],
    ['one of them', asked, rows([1, 2], [1, 2, 3])],
    ['in base64', { ...asked, input: 'a', dimensions: 3, encoding_format: 'base64' }, rows(packed)],
    ['made base64', { ...asked, input: 'a', dimensions: 3, encoding_format: 'base64' }, rows(vector)],
  ])('are refused, and another upstream is tried: %s', ([, body, reply]) => {
    expect(() => validateEmbeddings(JsonText.of(reply), aCall(body))).toThrow(
      expect.objectContaining({
        kind: 'unsupported',
        param: 'dimensions',
        elsewhere: true,
        mayBeBilled: true,
      }),
    )
  })

  test.for<[string, JsonObject, JsonObject]>([
    ['nothing was requested', { input: 'a' }, rows([1, 2, 3])],
    ['null was requested', { input: 'a', dimensions: null }, rows([1, 2, 3])],
    ['they have it', asked, rows([1, 2], [3, 4])],
    ['they have it in base64', { input: 'a', dimensions: 2, encoding_format: 'base64' }, rows(packed)],
  ])('are accepted if %s', ([, body, reply]) => {
    expect(validateEmbeddings(JsonText.of(reply), aCall(body)).value['data']).toHaveLength(
      Array.isArray(body['input']) ? 2 : 1,
    )
  })
})

test('answers to parts are joined, with common indices', () => {
  const part = (embedding: number[]) =>
    JsonText.read(answer([{ object: 'embedding', index: 0, embedding }]), 'x')
  const { value: body, isWritten } = joinEmbeddings([part([1]), part([2])])
  expect(body['data']).toEqual([
    { object: 'embedding', index: 0, embedding: [1] },
    { object: 'embedding', index: 1, embedding: [2] },
  ])
  expect(isWritten).toBe(false)
})

function answer(data: readonly unknown[]): JsonObject {
  return { object: 'list', data, model: 'm' }
}

function aCall(body: JsonObject): Relay {
  return {
    id: 'req_1',
    dialect: 'embeddings',
    kind: 'embeddings',
    model: 'm',
    stream: false,
    includeUsage: false,
    body: JsonText.read(body, JSON.stringify(body)),
    credential: undefined,
    deadlineMs: undefined,
  }
}
