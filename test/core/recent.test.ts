import { expect, test } from 'vitest'
import { createRecent } from '../../src/core/recent.ts'

test.for<[string, string, readonly (string | undefined)[]]>([
  ['the first to come is the first to go', 'a= b= c=', [undefined, 'b', 'c']],
  ['what was looked at stays', 'a= b= a c=', ['a', undefined, 'c']],
  ['what was set again stays', 'a= b= a= c=', ['a', undefined, 'c']],
  ['setting one again makes no room', 'a= b= b= b=', ['a', 'b', undefined]],
  ['looking for what is not there changes nothing', 'a= b= c', ['a', 'b', undefined]],
])('of two at most: %s', ([, steps, left]) => {
  const recent = createRecent<string>(2)
  for (const step of steps.split(' ')) {
    const [key = ''] = step
    if (step.endsWith('=')) recent.set(key, key)
    else recent.get(key)
  }
  expect(['a', 'b', 'c'].map((key) => recent.get(key))).toEqual(left)
})
