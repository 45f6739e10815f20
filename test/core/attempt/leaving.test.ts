import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { attempt } from '../../../src/core/attempt/attempt.ts'
import type { Delta } from '../../../src/core/model/call.ts'
import {
  aCaller,
  attemptParts,
  type Caller,
  expectNothingLeft,
  outcomesOf,
  turn,
} from '../../harness/core/attempt-walk.ts'
import {
  aCall,
  act,
  bursts,
  pause,
  type Script,
  type ScriptedUpstream,
  scriptedUpstream,
  silence,
  textChunk,
  textOf,
} from '../../harness/scripted-upstream.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

test('a caller that left before the start causes no request', async () => {
  const { caller, parts, upstream } = aTry([silence])
  caller.leave()
  await expect(attempt(parts)).rejects.toBe(caller.reason)
  expect(upstream.calls).toEqual([])
  expect(parts.context.record.row.attempts).toEqual([])
  await expectNothingLeft(caller.signal)
})

describe('a caller that leaves', () => {
  test.for([
    ['while a JSON answer is waited for', false, [silence]],
    ['in the middle of a JSON answer', false, [...bursts(textChunk('a')), silence]],
    ['before the first delta', true, [silence]],
    ['before the first visible delta', true, [...bursts(textChunk('')), silence]],
  ] as readonly (readonly [string, boolean, Script])[])('%s', async ([, stream, script]) => {
    const { caller, parts, upstream } = aTry(script, stream)
    const opening = attempt(parts)
    const rejection = expect(opening).rejects.toBe(caller.reason)
    await vi.advanceTimersByTimeAsync(70)
    caller.leave()
    await rejection
    expect(parts.context.record.row.attempts).toMatchObject([{ outcome: 'caller_left', totalMs: 70 }])
    await expectGivenUp(caller, upstream)
  })

  test('while waiting for the next delta', async () => {
    const { caller, parts, upstream } = aTry([...bursts(textChunk('a')), silence])
    const iterator = await open(parts)
    await iterator.next()
    const rejection = expect(iterator.next()).rejects.toBe(caller.reason)
    await vi.advanceTimersByTimeAsync(70)
    caller.leave()
    await rejection
    expect(parts.context.record.row.attempts).toMatchObject([{ outcome: 'caller_left', totalMs: 70 }])
    await expectGivenUp(caller, upstream)
  })

  test.for([
    [
      'and is read on',
      (iterator: Reader, { reason }: Caller) => expect(iterator.next()).rejects.toBe(reason),
    ],
    ['and the reader returns', (iterator: Reader) => iterator.return?.()],
  ] as const)('while reading slowly, %s', async ([, readOn]) => {
    const { caller, parts, upstream } = aTry(bursts(textChunk('a'), textChunk('b'), textChunk('c', 'stop')))
    const iterator = await open(parts)
    await iterator.next()
    await iterator.next()
    caller.leave()
    expect(upstream.calls[0]?.attempt.signal.reason).toBe(caller.reason)
    await readOn(iterator, caller)
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual(['caller_left'])
    await expectGivenUp(caller, upstream)
  })

  test('does not get a failure caused by leaving', async () => {
    const { caller, parts, upstream } = aTry([
      act(({ signal }) => signal.addEventListener('abort', () => undefined)),
      async ({ signal }) => {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        throw new TypeError('socket hang up')
      },
    ])
    const rejection = expect(attempt(parts)).rejects.toBe(caller.reason)
    await turn()
    caller.leave()
    await rejection
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual(['caller_left'])
    await expectGivenUp(caller, upstream)
  })

  test('after the end changes nothing', async () => {
    const { caller, parts, upstream } = aTry(bursts(textChunk('a'), textChunk('b', 'stop')))
    const iterator = await open(parts)
    while ((await iterator.next()).done !== true);
    caller.leave()
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual(['ok'])
    expect(upstream.calls[0]?.attempt.signal.aborted).toBe(false)
    await expectNothingLeft(caller.signal, upstream)
  })
})

describe('a reader that stops reading', () => {
  test.for([
    ['after the first burst', 1, 'a'],
    ['later', 2, 'ab'],
  ] as const)('%s cancels the upstream', async ([, steps, text]) => {
    const { caller, parts, upstream } = aTry([
      ...bursts(textChunk('a'), textChunk('b'), textChunk('c')),
      pause(50),
      silence,
    ])
    const iterator = await open(parts)
    const seen: Delta[] = []
    for (let step = 0; step < steps; step++) seen.push(...((await iterator.next()).value ?? []))
    await vi.advanceTimersByTimeAsync(30)
    await iterator.return?.()
    expect(textOf(seen)).toBe(text)
    expect(upstream.calls[0]?.attempt.signal.reason).toMatchObject({ kind: 'caller_left' })
    expect(parts.context.record.row.attempts).toMatchObject([{ outcome: 'caller_left', totalMs: 30 }])
    await expectNothingLeft(caller.signal, upstream)
  })

  test('with its own error cancels the upstream, and gets that error', async () => {
    const { caller, parts, upstream } = aTry([...bursts(textChunk('a')), silence])
    const { bursts: answer } = await attempt(parts)
    const own = new Error('cannot write')
    const reading = async () => {
      for await (const _ of answer) throw own
    }
    await expect(reading()).rejects.toBe(own)
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual(['caller_left'])
    await expectNothingLeft(caller.signal, upstream)
  })
})

type Reader = AsyncIterator<readonly Delta[]>

async function expectGivenUp(caller: Caller, upstream: ScriptedUpstream): Promise<void> {
  expect(upstream.calls.map(({ attempt: { signal } }) => signal.reason)).toEqual([caller.reason])
  await expectNothingLeft(caller.signal, upstream)
}

function aTry(script: Script, stream = true) {
  const upstream = scriptedUpstream([script])
  const caller = aCaller()
  return {
    caller,
    upstream,
    parts: attemptParts(upstream, { call: aCall({ stream }), signal: caller.signal }),
  }
}

async function open(parts: ReturnType<typeof attemptParts>): Promise<Reader> {
  const { bursts } = await attempt(parts)
  if (!(Symbol.asyncIterator in bursts)) throw new TypeError('A stream is read step by step.')
  return bursts[Symbol.asyncIterator]()
}
