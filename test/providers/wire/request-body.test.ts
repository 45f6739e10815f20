import { expect, test } from 'vitest'
import { requestBody } from '../../../src/providers/wire/request-body.ts'
import { call as aCall } from '../../harness/simulated-call.ts'

const source = '{"model":"m","prompt":"Grüße 😀"}'
const sourceBytes = Buffer.from(source)

test('the caller’s own text goes on in the bytes it came in', () => {
  expect(requestBody(aCall({ model: 'm', source, sourceBytes }), source)).toBe(sourceBytes)
})

test.for([
  ['another text', { source, sourceBytes }, '{"model":"other"}'],
  ['one whose bytes were not kept', { source }, source],
  ['one that is not the caller’s any more', { source: undefined, sourceBytes }, source],
] as const)('%s goes on as it is', ([, parts, text]) => {
  expect(requestBody(aCall({ model: 'm', ...parts }), text)).toBe(text)
})
