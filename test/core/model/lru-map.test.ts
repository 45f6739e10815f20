import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLruMap } from '../../../src/core/model/lru-map.ts'

test.for<[string, string, readonly (string | undefined)[]]>([
  ['the first to come is the first to go', 'a= b= c=', [undefined, 'b', 'c']],
  ['what was looked at stays', 'a= b= a c=', ['a', undefined, 'c']],
  ['what was set again stays', 'a= b= a= c=', ['a', undefined, 'c']],
  ['setting one again evicts nothing', 'a= b= b= b=', ['a', 'b', undefined]],
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

test('it keeps what a list in the order of use would keep, over many operations', () => {
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

test('values are listed in the order of use', () => {
  const recent = createLruMap<string>(3)
  for (const key of ['a', 'b', 'c', 'd']) recent.set(key, key)
  recent.get('b')
  expect([...recent.values()]).toEqual(['c', 'd', 'b'])
})

test('with a limit of one, only the last entry is kept', () => {
  const recent = createLruMap<string>(1)
  for (const key of ['a', 'b', 'b', 'c']) recent.set(key, key)
  expect([...recent.values()]).toEqual(['c'])
})

describe('entries with owners', () => {
  test('the oldest entry of the owner with the largest share is evicted', () => {
    const dropped: string[] = []
    const map = createLruMap<string>({ maxEntries: 3 }, (value) => dropped.push(value))
    map.set('mine', 'mine', { owner: 'little' })
    for (const key of ['a', 'b', 'c', 'd']) map.set(key, key, { owner: 'much' })
    expect(dropped).toEqual(['a', 'b'])
    expect(map.peek('mine')).toBe('mine')
  })

  test('bytes count like entries', () => {
    const map = createLruMap<string>({ maxEntries: 100, maxBytes: 100 })
    for (const key of ['a', 'b', 'c']) map.set(key, key, { owner: 'little', bytes: 10 })
    for (const key of ['d', 'e', 'f']) map.set(key, key, { owner: 'much', bytes: 30 })
    expect([...map.values()]).toEqual(['a', 'b', 'c', 'e', 'f'])
    expect(map.set('g', 'g', { owner: 'much', bytes: 101 })).toBe(false)
    expect(map.bytes).toBe(90)
  })

  test('pinned entries count, and are not evicted', () => {
    const map = createLruMap<string>({ maxEntries: 2, maxBytes: 100 })
    map.set('a', 'a', { bytes: 10, isPinned: true })
    map.set('b', 'b', { bytes: 10, isPinned: true })
    expect(map.set('c', 'c', { bytes: 10 })).toBe(false)
    expect(map.set('c', 'c', { bytes: 10, isPinned: true })).toBe(false)
    map.unpin('a')
    expect(map.oldest('')).toBe('a')
    expect(map.set('c', 'c', { bytes: 10 })).toBe(true)
    expect([map.peek('a'), map.pinned, map.bytes]).toEqual([undefined, 1, 20])
  })

  test('an entry that grows evicts others, or is evicted', () => {
    const map = createLruMap<string>({ maxEntries: 10, maxBytes: 100 })
    map.set('a', 'a', { bytes: 40 })
    map.set('b', 'b', { bytes: 40, isPinned: true })
    expect(map.grow('b', 30)).toBe(true)
    expect([map.peek('a'), map.bytes]).toEqual([undefined, 70])
    expect(map.grow('b', 31)).toBe(false)
    expect([map.size, map.pinned, map.bytes]).toEqual([0, 0, 0])
  })

  test('any sequence of operations stays within the limits and counts correctly', () => {
    const step = fc.record({
      act: fc.constantFrom('set', 'pin', 'unpin', 'grow', 'get', 'delete'),
      key: fc.integer({ min: 0, max: 8 }).map(String),
      owner: fc.constantFrom('a', 'b', 'c'),
      bytes: fc.integer({ min: 0, max: 40 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const map = createLruMap<string>({ maxEntries: 5, maxBytes: 100 })
        for (const { act, key, owner, bytes } of steps) {
          if (act === 'set') map.set(key, key, { owner, bytes })
          else if (act === 'pin') map.set(key, key, { owner, bytes, isPinned: true })
          else if (act === 'unpin') map.unpin(key)
          else if (act === 'grow') map.grow(key, bytes)
          else if (act === 'get') expect(map.get(key)).toBe(map.peek(key))
          else map.delete(key)
          expect(map.size).toBeLessThanOrEqual(5)
          expect(map.bytes).toBeLessThanOrEqual(100)
          expect([...map.values()]).toHaveLength(map.size - map.pinned)
        }
        for (let key = 0; key <= 8; key++) map.delete(String(key))
        expect([map.size, map.pinned, map.bytes]).toEqual([0, 0, 0])
      }),
    )
  })
})
