import { describe, expect, test } from 'vitest'
import { Failure, type FailureKind } from '../../../src/core/model/failure.ts'
import { type Asked, aBench, complete, gone, made } from './idempotency-harness.ts'

describe('a request that is repeated with its key', () => {
  test('gets the kept answer and its facts', async () => {
    const { ask, works } = aBench()
    const first = ask()
    complete(works[0]!)
    expect(await first.text).toBe('answer')
    await first.work
    const second = ask()
    expect(await second.text).toBe('answer')
    expect(second.work).toBeUndefined()
    expect(second.reader.made).toEqual(made)
    expect(works).toHaveLength(1)
  })

  test('follows an answer in progress, from its beginning', async () => {
    const { ask, works } = aBench()
    const first = ask()
    const [work] = works
    work?.answer.begin(made)
    work?.answer.write('one ')
    const second = ask()
    await second.reader.begun()
    work?.answer.write('two')
    work?.resolve()
    expect(await Promise.all([first.text, second.text])).toEqual(['one two', 'one two'])
    expect(works).toHaveLength(1)
  })

  test('gets the answer that was completed after its first caller left', async () => {
    const { ask, works } = aBench()
    const first = ask()
    first.abort.abort(gone)
    await expect(first.text).rejects.toBe(gone)
    expect(works[0]?.signal.aborted).toBe(false)
    const second = ask()
    complete(works[0]!)
    expect(await second.text).toBe('answer')
    await first.work
    expect(await ask().text).toBe('answer')
    expect(works).toHaveLength(1)
  })

  test('is refused if the request differs', async () => {
    const { ask, works } = aBench()
    ask()
    const expected = expect.objectContaining({
      kind: 'key_reused',
      status: 422,
      param: 'Idempotency-Key',
      code: 'idempotency_key_reused',
    })
    expect(() => ask({ request: 'other' })).toThrow(expected)
    complete(works[0]!)
    await ask().text
    expect(() => ask({ request: 'other' })).toThrow(expected)
    expect(works).toHaveLength(1)
  })

  test.for<[string, Asked]>([
    ['another tenant', { tenant: 'u' }],
    ['another format', { dialect: 'completions' }],
    ['another key', { key: 'l' }],
  ])('is executed for %s', async ([, other]) => {
    const { ask, works } = aBench()
    ask()
    complete(works[0]!, 'mine')
    const second = ask({ ...other, request: 'theirs' })
    complete(works[1]!, 'theirs')
    expect(await second.text).toBe('theirs')
    expect(await ask().text).toBe('mine')
  })

  test('is not started for a caller that has already left', () => {
    const { idempotency } = aBench()
    const keyed = { tenant: '', dialect: 'chat', key: 'k', request: [] }
    expect(() =>
      idempotency.answer(keyed, AbortSignal.abort(gone), () => expect.unreachable('It was begun.')),
    ).toThrow(gone)
  })

  test('is executed again once the answer has expired', async () => {
    const { ask, works, clock, idempotency } = aBench({ ttlMs: 1000 })
    const first = ask()
    clock.at = 5000
    complete(works[0]!)
    await first.work
    clock.at = 5999
    expect(await ask().text).toBe('answer')
    clock.at = 6000
    ask()
    expect(works).toHaveLength(2)
    expect(idempotency.counts()).toMatchObject({ inFlight: 1, kept: 0 })
  })
})

describe('an answer that failed', () => {
  const kept: readonly FailureKind[] = ['rejected', 'context_length', 'content_filtered']
  test.for(kept)('because an upstream rejected the request is kept: %s', async (kind) => {
    const { ask, works } = aBench()
    const failure = new Failure(kind, 'No.')
    const first = ask()
    works[0]?.reject(failure)
    await expect(first.text).rejects.toBe(failure)
    const second = ask()
    await expect(second.reader.begun()).rejects.toBe(failure)
    await expect(second.text).rejects.toBe(failure)
    expect(works).toHaveLength(1)
  })

  const freed: readonly FailureKind[] = [
    ...(['rate_limited', 'overloaded', 'upstream_error', 'timeout', 'interrupted', 'caller_left'] as const),
    ...([
      'internal',
      'upstream_auth',
      'draining',
      'invalid_request',
      'unsupported',
      'model_not_found',
    ] as const),
  ]
  test.for(freed)('otherwise frees its key: %s', async (kind) => {
    const { ask, works, idempotency } = aBench()
    const failure = new Failure(kind, 'No.')
    const callers = [ask(), ask()]
    works[0]?.reject(failure)
    for (const { text } of callers) await expect(text).rejects.toBe(failure)
    expect(idempotency.counts()).toEqual({ inFlight: 0, kept: 0, bytes: 0 })
    const third = ask({ request: 'other' })
    complete(works[1]!)
    expect(await third.text).toBe('answer')
  })

  test('half-way is reported to all its followers, and frees its key', async () => {
    const { ask, works, idempotency } = aBench()
    const [first, second] = [ask(), ask()]
    const failure = new Failure('content_filtered', 'No more.')
    works[0]?.answer.begin(made)
    works[0]?.answer.write('half')
    works[0]?.answer.reportFailure(failure, ' no')
    works[0]?.reject(failure)
    for (const { reader, text } of [first, second]) {
      await expect(text).rejects.toBe(failure)
      expect(reader.reportedFailure).toBe(failure)
    }
    expect(idempotency.counts()).toEqual({ inFlight: 0, kept: 0, bytes: 0 })
  })

  test('by a bug is an internal failure', async () => {
    const { ask, works } = aBench()
    const { text } = ask()
    const cause = new TypeError('Bug.')
    works[0]?.reject(cause)
    await expect(text).rejects.toMatchObject({ kind: 'internal', cause })
  })
})

test('closing cancels running work, and waits for its end', async () => {
  const { ask, works, idempotency } = aBench()
  const staying = ask({ key: 'a' })
  const leaving = ask({ key: 'b' })
  leaving.abort.abort(gone)
  const ending = new Failure('draining', 'Bye.')
  await idempotency.close(ending)
  for (const { signal } of works) expect(signal.reason).toBe(ending)
  await expect(staying.text).rejects.toBe(ending)
  expect(idempotency.counts().inFlight).toBe(0)
})

test('the end of all running work can be awaited', async () => {
  const { ask, works, idempotency } = aBench()
  ask({ key: 'a' })
  const ended = idempotency.ended()
  ask({ key: 'b' })
  complete(works[0]!)
  await ended
  expect(idempotency.counts()).toMatchObject({ inFlight: 1, kept: 1 })
})
