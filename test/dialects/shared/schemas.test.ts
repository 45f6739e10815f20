import { expect, test } from 'vitest'
import { aString, form, list } from '../../../src/dialects/shared/schemas.ts'

test('A list of a million wrong elements tells of the first alone, and looks at no other', () => {
  let looked = 0
  const counted = form(() => {
    looked++
    return aString
  })
  const wrong = Array.from({ length: 1_000_000 }, () => null)
  expect(list(counted, 'an array of strings').safeParse(['fine', ...wrong]).error?.issues).toEqual([
    { code: 'invalid_type', expected: 'string', message: 'a string', path: [1] },
  ])
  expect(looked).toBe(2)
})

test('A list within a list tells where in both', () => {
  const lists = list(list(aString, 'an array of strings'), 'an array of arrays of strings')
  expect(lists.safeParse([['a'], ['b', 5]]).error?.issues).toMatchObject([
    { path: [1, 1], message: 'a string' },
  ])
})
