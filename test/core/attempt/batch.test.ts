import { expect, test } from 'vitest'
import { createBatch } from '../../../src/core/attempt/batch.ts'

test('what is given in one turn of the event loop is done after it, together and in its order', async () => {
  const done: string[] = []
  const batch = createBatch()
  for (const name of ['a', 'b', 'c']) batch(() => done.push(name))
  await Promise.resolve()
  expect(done).toEqual([])
  await turn()
  expect(done).toEqual(['a', 'b', 'c'])
})

test('what comes up while it is done is done in the next turn', async () => {
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
