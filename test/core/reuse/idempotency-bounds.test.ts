import { expect, test } from 'vitest'
import { aBench, complete, gone, made } from './idempotency-harness.ts'

test('the oldest answers are evicted for new ones', async () => {
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

test('running calls are not evicted: a call beyond the limit runs without its key', async () => {
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

test('answers are evicted by size, and their whole size is freed', async () => {
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

test('an answer that is too large reaches its callers completely, and frees its key', async () => {
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

test('an answer that was too large and failed is subtracted only once', async () => {
  const { ask, works, idempotency } = aBench({ maxBytes: 10_000 })
  const { text, work } = ask()
  works[0]?.answer.begin(made)
  works[0]?.answer.write('x'.repeat(20_000))
  works[0]?.reject(gone)
  await expect(text).rejects.toBe(gone)
  await work
  expect(idempotency.counts()).toEqual({ inFlight: 0, kept: 0, bytes: 0 })
})

test('work whose key is not kept ends when its last caller leaves', async () => {
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

test('a thousand keyed calls of one tenant evict none of another’s, kept or running', async () => {
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
