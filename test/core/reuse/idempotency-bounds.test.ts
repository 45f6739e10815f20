import { expect, test } from 'vitest'
import { aBench, complete, gone, made } from './idempotency-harness.ts'

test('the oldest answers make room for more', async () => {
  const { ask, works, idempotency } = aBench({ maxEntries: 2 })
  for (const key of ['a', 'b', 'c']) {
    const { text } = ask({ key })
    complete(works.at(-1)!, key)
    expect(await text).toBe(key)
  }
  expect(idempotency.counts()).toMatchObject({ inFlight: 0, kept: 2 })
  expect(await ask({ key: 'b' }).text).toBe('b')
  expect(works).toHaveLength(3)
  ask({ key: 'a' })
  expect(works).toHaveLength(4)
})

test('what is running makes no room: a call too many is made without its key', async () => {
  const { ask, works, idempotency } = aBench({ maxEntries: 1 })
  ask({ key: 'a' })
  const second = ask({ key: 'b' })
  const third = ask({ key: 'b', request: 'other' })
  expect(idempotency.counts().inFlight).toBe(1)
  complete(works[1]!, 'second')
  complete(works[2]!, 'third')
  expect(await Promise.all([second.text, third.text])).toEqual(['second', 'third'])
  expect(idempotency.counts()).toMatchObject({ inFlight: 1, kept: 0 })
})

test('answers make room by their size, and what is freed is freed whole', async () => {
  const { ask, works, idempotency } = aBench({ maxBytes: 10_000 })
  for (const key of ['a', 'b', 'c']) {
    const { text, work } = ask({ key })
    complete(works.at(-1)!, 'x'.repeat(1500))
    await text
    await work
    expect(idempotency.counts().bytes).toBeLessThanOrEqual(10_000)
  }
  expect(idempotency.counts()).toMatchObject({ inFlight: 0, kept: 2 })
})

test('one that is too big reaches its callers whole, and frees its key', async () => {
  const { ask, works, idempotency } = aBench({ maxBytes: 10_000 })
  const [first, second] = [ask(), ask()]
  const [work] = works
  work?.answer.begin(made)
  for (let piece = 0; piece < 20; piece++) work?.answer.write(`${piece} `.padEnd(1000, '.'))
  expect(idempotency.counts()).toEqual({ inFlight: 0, kept: 0, bytes: 0 })
  const third = ask({ request: 'other' })
  work?.resolve()
  const texts = await Promise.all([first.text, second.text])
  expect(texts[0]).toHaveLength(20_000)
  expect(texts[1]).toBe(texts[0])
  await first.work
  expect(idempotency.counts().inFlight).toBe(1)
  complete(works[1]!, 'other')
  expect(await third.text).toBe('other')
})

test('one that was too big, and failed, is counted off once', async () => {
  const { ask, works, idempotency } = aBench({ maxBytes: 10_000 })
  const { text, work } = ask()
  works[0]?.answer.begin(made)
  works[0]?.answer.write('x'.repeat(20_000))
  works[0]?.reject(gone)
  await expect(text).rejects.toBe(gone)
  await work
  expect(idempotency.counts()).toEqual({ inFlight: 0, kept: 0, bytes: 0 })
})

test('work for a key that is not kept ends when the last who waits for it leaves', async () => {
  const { ask, works } = aBench({ maxBytes: 3000 })
  const [first, second] = [ask(), ask()]
  works[0]?.answer.begin(made)
  works[0]?.answer.write('x'.repeat(2000))
  first.abort.abort(gone)
  expect(works[0]?.signal.aborted).toBe(false)
  second.abort.abort(gone)
  expect(works[0]?.signal.reason).toBe(gone)
  await first.work
})

test('a thousand keyed calls of one tenant push out none of another’s, kept or running', async () => {
  const { ask, works } = aBench({ maxEntries: 100 })
  const { text } = ask({ tenant: 'quiet', key: 'mine' })
  complete(works.at(-1)!, 'theirs')
  await text
  for (let call = 0; call < 1000; call++) {
    const { text: flood } = ask({ tenant: 'loud', key: `${call}` })
    if (call % 2 === 0) {
      complete(works.at(-1)!, 'x')
      await flood
    }
  }
  const count = works.length
  expect(await ask({ tenant: 'quiet', key: 'mine' }).text).toBe('theirs')
  ask({ tenant: 'quiet', key: 'another' })
  ask({ tenant: 'quiet', key: 'another' })
  expect(works).toHaveLength(count + 1)
})
