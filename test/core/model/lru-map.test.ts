import { expect, test } from 'vitest'
import { createLruMap } from '../../../src/core/model/lru-map.ts'

test.for<[string, string, readonly (string | undefined)[]]>([
  ['the first to come is the first to go', 'a= b= c=', [undefined, 'b', 'c']],
  ['what was looked at stays', 'a= b= a c=', ['a', undefined, 'c']],
  ['what was set again stays', 'a= b= a= c=', ['a', undefined, 'c']],
  ['setting one again makes no room', 'a= b= b= b=', ['a', 'b', undefined]],
  ['looking for what is not there changes nothing', 'a= b= c', ['a', 'b', undefined]],
])('of two at most: %s', ([, steps, left]) => {
  const recent = createLruMap<string>(2)
  for (const step of steps.split(' ')) {
    const [key = ''] = step
    if (step.endsWith('=')) recent.set(key, key)
    else recent.get(key)
  }
  expect(['a', 'b', 'c'].map((key) => recent.get(key))).toEqual(left)
})

test('it keeps what a list in the order of use would keep, however long it is in use', () => {
  const recent = createLruMap<string>(100)
  let used: string[] = []
  for (let step = 0; step < 5000; step++) {
    const key = String((step * step) % 257)
    const isKnown = used.includes(key)
    const isSet = step % 3 === 0
    if (isSet) recent.set(key, key)
    else expect(recent.get(key)).toBe(isKnown ? key : undefined)
    if (isSet || isKnown) used = [...used.filter((other) => other !== key), key].slice(-100)
  }
  expect(used).toHaveLength(100)
})

test('what is told of all is in the order of use', () => {
  const recent = createLruMap<string>(3)
  for (const key of ['a', 'b', 'c', 'd']) recent.set(key, key)
  recent.get('b')
  expect([...recent.values()]).toEqual(['c', 'd', 'b'])
})

test('of one at most, the last is all there is', () => {
  const recent = createLruMap<string>(1)
  for (const key of ['a', 'b', 'b', 'c']) recent.set(key, key)
  expect([...recent.values()]).toEqual(['c'])
})
