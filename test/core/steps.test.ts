import { describe, expect, test } from 'vitest'
import { asItCame, type Steps, stepsOf, throwOn } from '../../src/core/steps.ts'

const broken = new Error('broken')

describe('the steps of any iterator', () => {
  test('are what is made of them, to the end', async () => {
    const steps = stepsOf(words())
    const shout = ({ done, value }: IteratorResult<string, undefined>) =>
      done ? 'over' : value.toUpperCase()
    const told = [await steps.take(shout, throwOn), await steps.take(shout, throwOn)]
    expect([...told, await steps.take(shout, throwOn)]).toEqual(['ONE', 'TWO', 'over'])
  })

  test('may be taken as they came', async () => {
    expect(await stepsOf(words()).take(asItCame, throwOn)).toEqual({ done: false, value: 'one' })
  })

  test('tell whoever uses them of what was thrown in their stead', async () => {
    const steps = stepsOf(failing())
    expect(await steps.take(asItCame, (thrown) => thrown)).toBe(broken)
  })

  test('reject with what is thrown on, and with what their use throws', async () => {
    await expect(stepsOf(failing()).take(asItCame, throwOn)).rejects.toBe(broken)
    const use = () => throwOn(broken)
    await expect(stepsOf(words()).take(use, () => 'not asked')).rejects.toBe(broken)
  })

  test('end when no more are wanted, where the iterator can', async () => {
    let hasEnded = false
    const iterator = words(() => {
      hasEnded = true
    })
    await iterator.next()
    await stepsOf(iterator).return?.()
    expect(hasEnded).toBe(true)
    await stepsOf({ next: () => Promise.resolve({ done: true, value: undefined }) }).return?.()
  })

  test('are its own, where it gives them itself', () => {
    const direct: AsyncIterator<string> & Pick<Steps<string>, 'take'> = {
      next: () => Promise.reject(broken),
      take: () => Promise.reject(broken),
    }
    expect(stepsOf(direct)).toBe(direct)
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
