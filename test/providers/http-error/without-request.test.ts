import { expect, test } from 'vitest'
import { withoutRequest } from '../../../src/providers/http-error/without-request.ts'

const request = JSON.stringify({
  model: 'm',
  prompt: 'My secret plan is\n"to sing" at dawn',
  note: 'aaaaaaaaaaaaaaaaaaaaaaaa',
})

test.for([
  ['nothing of the request', 'The engine ran out of memory.', 'The engine ran out of memory.'],
  ['less than 16 characters of it', 'It says: secret plan.', 'It says: secret plan.'],
  ['16 characters of it', 'It says: secret plan is\n!', 'It says: [request text]!'],
  ['more of it', 'Bad: My secret plan is\n"to sing" at dawn. Sorry.', 'Bad: [request text]. Sorry.'],
  ['its JSON', 'Bad: My secret plan is\\n\\"to sing\\" at dawn. Sorry.', 'Bad: [request text]. Sorry.'],
  ['it twice', 'x My secret plan is y My secret plan is z', 'x[request text]y[request text]z'],
  ['a run of one letter', `b${'a'.repeat(40)}b`, 'b[request text]b'],
  ['nothing at all', '', ''],
] as const)('a text that has %s', ([, text, told]) => {
  expect(withoutRequest(text, request)?.replace(/ ?(\[request text\]) ?/g, '$1')).toBe(
    told.replace(/ ?(\[request text\]) ?/g, '$1'),
  )
})

test('what cannot be searched is not told', () => {
  expect(withoutRequest('The engine ran out of memory.', 'x'.repeat(9_000_000))).toBeUndefined()
})
