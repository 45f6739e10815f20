import { expect, test } from 'vitest'
import { createBatch } from '../../../src/core/attempt/batch.ts'

test('work of one turn of the event loop runs after it, together and in order', async () => {
  const done: string[] = []
  const batch = createBatch()
  for (const name of ['a', 'b', 'c']) batch(() => done.push(name))
  await Promise.resolve()
  expect(done).toEqual([])
  await turn()
  expect(done).toEqual(['a', 'b', 'c'])
})

test('work added during a batch runs in the next turn', async () => {
  const done: string[] = []
  const batch = createBatch()
  batch(() => {
    done.push('first')
    batch(() => done.push('later'))
    done.push('still first')
  })
  await turn()
  await turn()
  expect(done).toEqual(['first', 'still first', 'later'])
})

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
