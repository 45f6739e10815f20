import { expect, test } from 'vitest'
import { copyOf, createNames } from '../../src/core/names.ts'

test('names are kept once each, in the order they were told', () => {
  const names = createNames()
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
  const names = createNames()
  names.add('seed')
  const copy = copyOf(names)
  copy.add('user')
  names.add('stop')
  expect([[...names], [...copy], [...createNames()]]).toEqual([['seed', 'stop'], ['seed', 'user'], []])
})
