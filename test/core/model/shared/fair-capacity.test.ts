import { describe, expect, test } from 'vitest'
import { createFairCapacity } from '../../../../src/core/model/shared/fair-capacity.ts'

/** Takes as much as possible, one unit at a time. */
function fill(
  capacity: ReturnType<typeof createFairCapacity>,
  user: string,
  most = Number.POSITIVE_INFINITY,
): number {
  let taken = 0
  for (; taken < most && capacity.hasRoomFor(user, 1); taken++) capacity.take(user, 1)
  return taken
}

describe('a single user', () => {
  test.for<readonly [number, number]>([
    [1, 1],
    [9, 9],
    [10, 9],
    [100, 90],
    [2048, 1844],
  ])('of a capacity of %i may take %i: all but a tenth', ([size, most]) => {
    expect(
      fill(
        createFairCapacity(() => size),
        'one',
      ),
    ).toBe(most)
  })

  test('may take any amount if nothing is in use', () => {
    const capacity = createFairCapacity(() => 10)
    expect(capacity.hasRoomFor('one', 1000)).toBe(true)
  })
})

describe('a user user comes after another has filled the capacity', () => {
  test('still gets some, and leaves some for the next', () => {
    const capacity = createFairCapacity(() => 1000)
    fill(capacity, 'greedy')
    const found = ['a', 'b', 'c', 'd', 'e'].map((user) => fill(capacity, user))
    expect(found.every((count) => count > 0)).toBe(true)
    expect(found[0]).toBeLessThanOrEqual(50)
    expect(capacity.used).toBeLessThanOrEqual(1000)
    expect(capacity.hasRoomFor('greedy', 1)).toBe(false)
  })

  test('gets what the other returns', () => {
    const capacity = createFairCapacity(() => 1000)
    fill(capacity, 'greedy')
    fill(capacity, 'late')
    capacity.give('greedy', 500)
    expect(fill(capacity, 'late', 100)).toBe(100)
  })
})

test('returning everything leaves no state behind', () => {
  const capacity = createFairCapacity(() => 100)
  capacity.take('one', 30)
  capacity.give('one', 30)
  expect([capacity.used, capacity.usedBy('one')]).toEqual([0, 0])
})

test('the current size applies', () => {
  let size = 100
  const capacity = createFairCapacity(() => size)
  fill(capacity, 'one')
  expect(capacity.hasRoomFor('one', 1)).toBe(false)
  size = 200
  expect(capacity.hasRoomFor('one', 1)).toBe(true)
})
