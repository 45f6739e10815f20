import { expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import { createTokenLimitNames } from '../../../src/providers/openai/token-limit.ts'
import type { WireAnswer } from '../../../src/providers/wire/wire-answer.ts'
import { startAttempt } from '../../harness/core/attempt.ts'

const answerOf = (status: number, text: () => string): WireAnswer => ({
  status,
  header: () => undefined,
  text,
  async *chunks() {},
  discard: () => undefined,
})

const refusing = (error: object) => answerOf(400, () => JSON.stringify({ error }))

test.for<[string, object, object, object | undefined]>([
  [
    'by its parameter',
    { max_tokens: 5 },
    { message: 'Unsupported parameter.', param: 'max_tokens', code: 'unsupported_parameter' },
    { max_completion_tokens: 5 },
  ],
  [
    'in words, with what to use',
    { max_tokens: 5 },
    { message: "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead." },
    { max_completion_tokens: 5 },
  ],
  [
    'as an extra field',
    { max_completion_tokens: 5 },
    { message: 'max_completion_tokens: Extra inputs are not permitted' },
    { max_tokens: 5 },
  ],
  ['for its value', { max_tokens: 5 }, { message: 'max_tokens must be at most 4.' }, undefined],
  [
    'another field',
    { max_tokens: 5 },
    { message: "Unsupported parameter: 'seed'.", param: 'seed' },
    undefined,
  ],
])('a name that is refused %s', async ([, sent, error, again]) => {
  const names = createTokenLimitNames()
  const posted: object[] = []
  const answer = await names.send(JsonText.of({ ...sent }), startAttempt('m'), async (body) => {
    posted.push(body.value)
    return posted.length === 1 ? refusing(error) : answerOf(200, () => 'ok')
  })
  expect(posted).toEqual(again === undefined ? [sent] : [sent, again])
  expect(answer.status).toBe(again === undefined ? 400 : 200)
  if (again === undefined) expect(await answer.text(1000)).toBe(JSON.stringify({ error }))
})

test('a refusal that cannot be read is one by its status', async () => {
  const broken = answerOf(400, () => {
    throw new Failure('invalid_response', 'Too long.')
  })
  const names = createTokenLimitNames()
  const answer = await names.send(JsonText.of({ max_tokens: 5 }), startAttempt('m'), async () => broken)
  expect([answer.status, await answer.text(1000)]).toEqual([400, ''])
})
