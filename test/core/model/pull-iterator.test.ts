import { describe, expect, test } from 'vitest'
import {
  type PullIterator,
  passThrough,
  pullIterator,
  rethrow,
} from '../../../src/core/model/pull-iterator.ts'

const broken = new Error('broken')

describe('the steps of any iterator', () => {
  test('are passed to the reader, to the end', async () => {
    const steps = pullIterator(words())
    const shout = ({ done, value }: IteratorResult<string, undefined>) =>
      done ? 'over' : value.toUpperCase()
    const told = [await steps.takeStep(shout, rethrow), await steps.takeStep(shout, rethrow)]
    expect([...told, await steps.takeStep(shout, rethrow)]).toEqual(['ONE', 'TWO', 'over'])
  })

  test('can be taken unchanged', async () => {
    expect(await pullIterator(words()).takeStep(passThrough, rethrow)).toEqual({ done: false, value: 'one' })
  })

  test('pass an error to the reader’s handler', async () => {
    const steps = pullIterator(failing())
    expect(await steps.takeStep(passThrough, (thrown) => thrown)).toBe(broken)
  })

  test('reject with an error that the handler rethrows, and with one that the reader throws', async () => {
    await expect(pullIterator(failing()).takeStep(passThrough, rethrow)).rejects.toBe(broken)
    const use = () => rethrow(broken)
    await expect(pullIterator(words()).takeStep(use, () => 'not asked')).rejects.toBe(broken)
  })

  test('end early if the iterator supports it', async () => {
    let hasEnded = false
    const iterator = words(() => {
      hasEnded = true
    })
    await iterator.next()
    await pullIterator(iterator).return?.()
    expect(hasEnded).toBe(true)
    await pullIterator({ next: () => Promise.resolve({ done: true, value: undefined }) }).return?.()
  })

  test('do not rely on a method that JavaScript iterators have', async () => {
    const taken = Object.assign(words(), { take: () => Promise.reject(broken) })
    expect(await pullIterator(taken).takeStep(passThrough, rethrow)).toEqual({ done: false, value: 'one' })
  })

  test('come directly from an iterator that implements them', () => {
    const direct: AsyncIterator<string> & Pick<PullIterator<string>, 'takeStep'> = {
      next: () => Promise.reject(broken),
      takeStep: () => Promise.reject(broken),
    }
    expect(pullIterator(direct)).toBe(direct)
  })
})

async function* words(ended = () => {}): AsyncGenerator<string, undefined> {
  try {
    yield 'one'
    yield 'two'
  } finally {
    ended()
  }
  return undefined
}

async function* failing(): AsyncGenerator<string, undefined> {
  yield* []
  throw broken
}
