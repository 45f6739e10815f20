import { expect, test } from 'vitest'
import { createRequestIds } from '../../../src/http/middleware/request-id.ts'

test('ids stand in the order of time, whatever their random digits', () => {
  let now = 1_795_970_820_319
  let filled = 0
  const newId = createRequestIds({ epochMs: () => now }, (bytes) => bytes.fill(255 - filled++))
  const ids = Array.from({ length: 600 }, () => {
    now += 1
    return newId()
  })
  expect(ids.toSorted()).toEqual(ids)
  expect(filled).toBeGreaterThan(1)
  for (const id of ids) expect(id).toMatch(/^req_[0-9a-f]{32}$/)
})

test('ids of one millisecond differ', () => {
  let drawn = 0
  const fill = (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; at++) bytes[at] = drawn++ % 251
  }
  const newId = createRequestIds({ epochMs: () => 1 }, fill)
  expect(new Set(Array.from({ length: 100 }, newId)).size).toBe(100)
  expect(newId()).toMatch(/^req_000000000001/)
})
