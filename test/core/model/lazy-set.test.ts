import { expect, test } from 'vitest'
import { copyOf, createLazySet } from '../../../src/core/model/lazy-set.ts'

test('names are kept once each, in the order they were told', () => {
  const names = createLazySet()
  expect([names.size, names.has('seed'), [...names]]).toEqual([0, false, []])
  for (const name of ['seed', 'user', 'seed']) names.add(name)
  expect([names.size, names.has('seed'), names.has('stop'), [...names]]).toEqual([
    2,
    true,
    false,
    ['seed', 'user'],
  ])
})

test('a copy and what it was made of go their own ways', () => {
  const names = createLazySet()
  names.add('seed')
  const copy = copyOf(names)
  copy.add('user')
  names.add('stop')
  expect([[...names], [...copy], [...createLazySet()]]).toEqual([['seed', 'stop'], ['seed', 'user'], []])
})
