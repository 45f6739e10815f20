import { describe, expect, test } from 'vitest'
import { createSharedRoom } from '../../../../src/core/model/shared/room.ts'

/** As much as goes in, one at a time. */
function fill(
  room: ReturnType<typeof createSharedRoom>,
  who: string,
  most = Number.POSITIVE_INFINITY,
): number {
  let taken = 0
  for (; taken < most && room.hasRoomFor(who, 1); taken++) room.take(who, 1)
  return taken
}

describe('who is alone', () => {
  test.for<readonly [number, number]>([
    [1, 1],
    [9, 9],
    [10, 9],
    [100, 90],
    [2048, 1844],
  ])('in a room of %i has %i of it: all but a tenth', ([size, most]) => {
    expect(
      fill(
        createSharedRoom(() => size),
        'one',
      ),
    ).toBe(most)
  })

  test('may take any amount where nothing is used', () => {
    const room = createSharedRoom(() => 10)
    expect(room.hasRoomFor('one', 1000)).toBe(true)
  })
})

describe('who comes to a room that another has filled', () => {
  test('finds some, and leaves some to the next', () => {
    const room = createSharedRoom(() => 1000)
    fill(room, 'greedy')
    const found = ['a', 'b', 'c', 'd', 'e'].map((who) => fill(room, who))
    expect(found.every((count) => count > 0)).toBe(true)
    expect(found[0]).toBeLessThanOrEqual(50)
    expect(room.used).toBeLessThanOrEqual(1000)
    expect(room.hasRoomFor('greedy', 1)).toBe(false)
  })

  test('has what the other gives back', () => {
    const room = createSharedRoom(() => 1000)
    fill(room, 'greedy')
    fill(room, 'late')
    room.give('greedy', 500)
    expect(fill(room, 'late', 100)).toBe(100)
  })
})

test('what was given back leaves nothing behind', () => {
  const room = createSharedRoom(() => 100)
  room.take('one', 30)
  room.give('one', 30)
  expect([room.used, room.usedBy('one')]).toEqual([0, 0])
})

test('the size is that of the moment', () => {
  let size = 100
  const room = createSharedRoom(() => size)
  fill(room, 'one')
  expect(room.hasRoomFor('one', 1)).toBe(false)
  size = 200
  expect(room.hasRoomFor('one', 1)).toBe(true)
})
