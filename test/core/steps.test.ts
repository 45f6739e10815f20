import { describe, expect, test } from 'vitest'
import { asItCame, type Steps, stepsOf, throwOn } from '../../src/core/steps.ts'

const broken = new Error('broken')

describe('the steps of any iterator', () => {
  test('are what is made of them, to the end', async () => {
    const steps = stepsOf(words())
    const shout = ({ done, value }: IteratorResult<string, undefined>) =>
      done ? 'over' : value.toUpperCase()
    const told = [await steps.takeStep(shout, throwOn), await steps.takeStep(shout, throwOn)]
    expect([...told, await steps.takeStep(shout, throwOn)]).toEqual(['ONE', 'TWO', 'over'])
  })

  test('may be taken as they came', async () => {
    expect(await stepsOf(words()).takeStep(asItCame, throwOn)).toEqual({ done: false, value: 'one' })
  })

  test('tell whoever uses them of what was thrown in their stead', async () => {
    const steps = stepsOf(failing())
    expect(await steps.takeStep(asItCame, (thrown) => thrown)).toBe(broken)
  })

  test('reject with what is thrown on, and with what their use throws', async () => {
    await expect(stepsOf(failing()).takeStep(asItCame, throwOn)).rejects.toBe(broken)
    const use = () => throwOn(broken)
    await expect(stepsOf(words()).takeStep(use, () => 'not asked')).rejects.toBe(broken)
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

  test('are not what the language itself may come to give every iterator', async () => {
    const taken = Object.assign(words(), { take: () => Promise.reject(broken) })
    expect(await stepsOf(taken).takeStep(asItCame, throwOn)).toEqual({ done: false, value: 'one' })
  })

  test('are its own, where it gives them itself', () => {
    const direct: AsyncIterator<string> & Pick<Steps<string>, 'takeStep'> = {
      next: () => Promise.reject(broken),
      takeStep: () => Promise.reject(broken),
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
