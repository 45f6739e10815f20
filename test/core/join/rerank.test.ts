import { expect, test } from 'vitest'
import { validateRerank } from '../../../src/core/join/rerank.ts'
import type { Relay } from '../../../src/core/model/call.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'

const call: Relay = {
  id: 'req_1',
  dialect: 'rerank',
  kind: 'rerank',
  model: 'm',
  stream: false,
  includeUsage: false,
  body: JsonText.of({ query: 'q', documents: ['a', 'b'] }),
  credential: undefined,
  deadlineMs: undefined,
}

test('a valid ranking is unchanged', () => {
  const body = { model: 'm', results: [{ index: 1, relevance_score: 0.5, document: { text: 'b' } }] }
  expect(validateRerank(JsonText.read(body, 'as sent'), call)).toEqual(JsonText.read(body, 'as sent'))
})

test('a ranking without a model gets the call’s', () => {
  const { value: body, text } = validateRerank(JsonText.read({ results: [] }, '{"results":[]}'), call)
  expect(body).toEqual({ model: 'm', results: [] })
  expect(JSON.parse(text)).toEqual(body)
})

test('results under other names are renamed', () => {
  const voyage = { object: 'list', model: 'm', data: [{ index: 1, relevance_score: 0.5 }] }
  expect(validateRerank(JsonText.of(voyage), call).value).toEqual({
    ...{ object: 'list', model: 'm' },
    results: [{ index: 1, relevance_score: 0.5 }],
  })
  const scored = { model: 'm', results: [{ index: 1, score: 0.5 }] }
  expect(validateRerank(JsonText.of(scored), call).value).toEqual({
    ...{ model: 'm', results: [{ index: 1, relevance_score: 0.5 }] },
  })
})

const score = { relevance_score: 1 }

test.for<[string, unknown]>([
  ['no list', undefined],
  ['more than there are documents', [0, 1, 2].map((index) => ({ index, ...score }))],
  ['no object', [7]],
  ['no score', [{ index: 0 }]],
  ['an invalid score', [{ index: 0, relevance_score: 'high' }]],
  ['no place', [score]],
  ['a place before the first', [{ index: -1, ...score }]],
  ['a place after the last', [{ index: 2, ...score }]],
  ['half a place', [{ index: 0.5, ...score }]],
  ['a place twice', [0, 0].map((index) => ({ index, ...score }))],
])('a ranking with %s is refused', ([, results]) => {
  const reply = JsonText.of({ model: 'm', results })
  expect(() => validateRerank(reply, call)).toThrow(expect.objectContaining({ kind: 'invalid_response' }))
})
