import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import {
  type AnswerFacts,
  type AnswerReader,
  createIdempotentAnswer,
  type IdempotentAnswer,
} from '../../../src/core/reuse/idempotent-answer.ts'

const made: AnswerFacts = {
  deployment: undefined,
  usage: undefined,
  dropped: new Set(),
  converted: new Set(),
}

const gone = new Failure('caller_left', 'Gone.')

/** An answer that keeps this many characters. */
function anAnswer(keptCharacters = Number.POSITIVE_INFINITY) {
  const leavings: unknown[] = []
  let abandoned = keptCharacters
  const answer = createIdempotentAnswer({
    keep(characters) {
      abandoned -= characters
      return abandoned >= 0
    },
    abandoned: (reason) => leavings.push(reason),
  })
  return { answer, leavings }
}

async function textOf(reader: AnswerReader): Promise<string> {
  let text = ''
  for await (const piece of reader.texts()) text += piece
  return text
}

/** Lets every reaction to what has happened run: none of it waits for anything but microtasks. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

/** Whether the writer may continue, after every reaction has run. */
async function isDrained(answer: IdempotentAnswer): Promise<boolean> {
  let drained = false
  void answer.drained().then(() => {
    drained = true
  })
  await settle()
  return drained
}

const bulk = 'x'.repeat(40_000)

describe('a reader', () => {
  test('is notified of the beginning before there is any text', async () => {
    const { answer } = anAnswer()
    const reader = answer.join(new AbortController().signal)
    const begun = reader.begun()
    answer.begin({ ...made, deployment: 'm@here' })
    await begun
    expect(reader.made.deployment).toBe('m@here')
  })

  test('waits for the end as well as for text', async () => {
    const { answer } = anAnswer()
    const reader = answer.join(new AbortController().signal)
    answer.begin(made)
    answer.close(undefined)
    expect(await textOf(reader)).toBe('')
  })

  test.for(['while it waits to begin', 'while it reads'] as const)('leaves at once %s', async (when) => {
    const { answer, leavings } = anAnswer()
    const abort = new AbortController()
    const reader = answer.join(abort.signal)
    if (when === 'while it reads') answer.begin(made)
    const heard = when === 'while it reads' ? textOf(reader) : reader.begun()
    await settle()
    abort.abort(gone)
    await expect(heard).rejects.toBe(gone)
    expect(leavings).toEqual([gone])
    expect(answer.readers).toBe(0)
  })

  test('that leaves does not matter while others read', () => {
    const { answer, leavings } = anAnswer()
    const abort = new AbortController()
    answer.join(abort.signal)
    answer.join(new AbortController().signal)
    abort.abort(gone)
    expect(leavings).toEqual([])
    expect(answer.readers).toBe(1)
  })

  test('that has read to the end is removed, and its signal released', async () => {
    const { answer } = anAnswer()
    const { signal } = new AbortController()
    const text = textOf(answer.join(signal))
    answer.begin(made)
    answer.write('all')
    answer.close(undefined)
    expect(await text).toBe('all')
    expect(answer.readers).toBe(0)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('gets every text in order, for any number of readers joining at any time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string(), fc.constant('join' as const), fc.constant(bulk)), { maxLength: 30 }),
        async (events) => {
          const { answer } = anAnswer()
          const reading: Promise<string>[] = []
          let written = ''
          answer.begin(made)
          for (const event of events) {
            if (event === 'join') reading.push(textOf(answer.join(new AbortController().signal)))
            else {
              written += event
              answer.write(event)
            }
            await Promise.resolve()
          }
          answer.close(undefined)
          for (const text of await Promise.all(reading)) expect(text).toBe(written)
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('the writer', () => {
  test('does not wait for a reader that timed out', async () => {
    const { answer, leavings } = anAnswer(10)
    const first = answer.join(new AbortController().signal)
    const late = answer.join(new AbortController().signal)
    await expect(late.begun(1)).rejects.toMatchObject({ kind: 'timeout' })
    expect([answer.readers, leavings]).toEqual([1, []])
    answer.begin(made)
    answer.write('x'.repeat(200_000))
    answer.close(undefined)
    expect(await textOf(first)).toHaveLength(200_000)
    expect(await isDrained(answer)).toBe(true)
  })

  test('is notified when the last reader has timed out', async () => {
    const { answer, leavings } = anAnswer(10)
    await expect(answer.join(new AbortController().signal).begun(1)).rejects.toMatchObject({
      kind: 'timeout',
    })
    expect(leavings).toMatchObject([{ kind: 'timeout' }])
  })

  test('of a kept answer never waits', async () => {
    const { answer } = anAnswer()
    answer.join(new AbortController().signal)
    for (let piece = 0; piece < 5; piece++) answer.write(bulk)
    expect(await isDrained(answer)).toBe(true)
  })

  test('of an answer that is not kept waits for the slowest reader', async () => {
    const { answer } = anAnswer(0)
    const [quick, slow] = [1, 2].map(() => answer.join(new AbortController().signal).texts())
    answer.begin(made)
    for (let piece = 0; piece < 4; piece++) answer.write(bulk)
    const drained = isDrained(answer)
    await quick?.next()
    await quick?.next()
    expect(await drained).toBe(false)
    await slow?.next()
    expect(await isDrained(answer)).toBe(false)
    await slow?.next()
    expect(await isDrained(answer)).toBe(true)
  })

  test.for(['is abandoned', 'is broken off'] as const)('stops waiting for a reading that %s', async (how) => {
    const { answer } = anAnswer(0)
    const abort = new AbortController()
    const texts = answer.join(abort.signal).texts()
    for (let piece = 0; piece < 4; piece++) answer.write(bulk)
    await texts.next()
    expect(await isDrained(answer)).toBe(false)
    const drained = answer.drained()
    if (how === 'is abandoned') abort.abort(gone)
    else await texts.return()
    await drained
    expect(answer.readers).toBe(0)
  })
})
