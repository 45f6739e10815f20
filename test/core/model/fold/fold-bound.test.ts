import { expect, test } from 'vitest'
import { createFoldBound } from '../../../../src/core/model/fold/fold-bound.ts'

const piece = { isWritten: true, text: '12345' }

test('a stream that is folded is limited in characters', () => {
  const bound = createFoldBound(10, 100)
  bound.add([piece, piece])
  expect(() => bound.add([piece])).toThrow(expect.objectContaining({ kind: 'invalid_response' }))
})

test('a stream that is folded is limited in events', () => {
  const bound = createFoldBound(1000, 3)
  bound.add([piece, piece, piece])
  expect(() => bound.add([piece])).toThrow(expect.objectContaining({ kind: 'invalid_response' }))
})
