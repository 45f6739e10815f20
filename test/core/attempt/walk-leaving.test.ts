import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import {
  aCaller,
  answering,
  aWalk,
  type Caller,
  expectNothingLeft,
  outcomesOf,
  turn,
  upstreamNamed,
  walkPlan,
} from '../../harness/core/attempt-walk.ts'
import {
  aCall,
  act,
  bursts,
  fail,
  readAll,
  type Script,
  silence,
  textChunk,
} from '../../harness/scripted-upstream.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const busy = fail(new Failure('overloaded', 'Busy.'))

test('a caller that left before the walk causes no request', async () => {
  const { caller, parts, upstream } = aLeaving([answering('a')])
  caller.leave()
  await expect(walkPlan(parts)).rejects.toBe(caller.reason)
  expect(upstream.calls).toEqual([])
  expect(parts.context.record.row.attempts).toEqual([])
  await expectNothingLeft(caller.signal)
})

describe('a caller that leaves', () => {
  /** what the caller waits for · as a stream · each call's script · how long it waits · the record */
  const cases: readonly (readonly [
    string,
    boolean,
    readonly [Script, ...Script[]],
    number,
    readonly string[],
  ])[] = [
    ['while a JSON answer is waited for', false, [[silence]], 5, ['caller_left']],
    ['while the first delta is waited for', true, [[silence]], 5, ['caller_left']],
    [
      'while the first visible delta is waited for',
      true,
      [[...bursts(textChunk('')), silence]],
      5,
      ['caller_left'],
    ],
    ['in a wait between two tries', false, [[busy], answering('a')], 5, ['overloaded']],
    ['in a later wait', false, [[busy], [busy], answering('a')], 205, ['overloaded', 'overloaded']],
    ['in the second try', false, [[busy], [silence]], 205, ['overloaded', 'caller_left']],
  ]
  test.for(cases)(
    '%s is rejected at once, and everything is cancelled',
    async ([, stream, scripts, waitedMs, outcomes]) => {
      const { caller, parts, upstream } = aLeaving(scripts, stream)
      const rejection = expect(walkPlan(parts)).rejects.toBe(caller.reason)
      await vi.advanceTimersByTimeAsync(waitedMs)
      caller.leave()
      await rejection
      expect(Date.now()).toBe(1_700_000_000_000 + waitedMs)
      expect(outcomesOf(parts.context.record.row.attempts)).toEqual(outcomes)
      const { length } = upstream.calls
      if (outcomes.at(-1) === 'caller_left')
        expect(upstream.calls[length - 1]?.attempt.signal.reason).toBe(caller.reason)
      await expectNothingLeft(caller.signal, upstream)
      await vi.runAllTimersAsync()
      expect(upstream.calls.length).toBe(length)
    },
  )

  test('in the middle of a stream', async () => {
    const { caller, parts, upstream } = aLeaving([[...bursts(textChunk('a')), silence]], true)
    const { bursts: answer } = await walkPlan(parts)
    const rejection = expect(readAll(answer)).rejects.toBe(caller.reason)
    await turn()
    caller.leave()
    await rejection
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual(['caller_left'])
    expect(upstream.calls[0]?.attempt.signal.reason).toBe(caller.reason)
    await expectNothingLeft(caller.signal, upstream)
  })

  test.for([
    ['as a try fails', false, (leave: () => void): Script => [act(leave), busy]],
    ['as the whole answer arrives', false, (leave: () => void): Script => [...answering('a'), act(leave)]],
    [
      'as the first delta arrives',
      true,
      (leave: () => void): Script => [act(() => queueMicrotask(leave)), ...answering('a')],
    ],
  ] as const)('%s', async ([, stream, scriptOf]) => {
    const caller = aCaller()
    const upstream = upstreamNamed('a', scriptOf(caller.leave), answering('again'))
    const parts = aWalk([upstream, upstream], { signal: caller.signal, call: aCall({ stream }) })
    const reading = async () => readAll((await walkPlan(parts)).bursts)
    await expect(reading()).rejects.toBe(caller.reason)
    expect(upstream.calls.length).toBe(1)
    await expectNothingLeft(caller.signal, upstream)
  })
})

/** At every step from the first delta to its reader, the upstream is cancelled. */
test('a caller that leaves before the first delta is read leaves nothing behind', async () => {
  for (let steps = 0; steps < 40; steps++) {
    const caller = aCaller()
    const leaveLater = async () => {
      for (let step = 0; step < steps; step++) await Promise.resolve()
      caller.leave()
    }
    const upstream = upstreamNamed('a', [act(() => void leaveLater()), ...bursts(textChunk('a')), silence])
    const parts = aWalk([upstream], { signal: caller.signal, call: aCall({ stream: true }) })
    const reading = async () => readAll((await walkPlan(parts)).bursts)
    await expect(reading()).rejects.toBe(caller.reason)
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual(['caller_left'])
    expect(upstream.calls[0]?.attempt.signal.reason).toBe(caller.reason)
    await expectNothingLeft(caller.signal, upstream)
  }
})

test('a caller that leaves between a failure and the next attempt is rejected at once, without another attempt', async () => {
  for (let steps = 0; steps < 40; steps++) {
    const caller = aCaller()
    const leaveLater = async () => {
      for (let step = 0; step < steps; step++) await Promise.resolve()
      caller.leave()
    }
    const upstream = upstreamNamed('a', [act(() => void leaveLater()), busy], [silence])
    const parts = aWalk([upstream, upstream], { signal: caller.signal })
    await expect(walkPlan(parts)).rejects.toBe(caller.reason)
    expect(upstream.calls.length).toBe(1)
    await expectNothingLeft(caller.signal, upstream)
  }
})

test('a finished walk leaves no listener on the caller’s signal, after any number of attempts', async () => {
  const { caller, parts, upstream } = aLeaving([[busy], [busy], answering('a')])
  const walking = walkPlan(parts)
  await vi.advanceTimersByTimeAsync(100)
  expect(getEventListeners(caller.signal, 'abort').length).toBeLessThanOrEqual(2)
  await vi.runAllTimersAsync()
  await walking
  await expectNothingLeft(caller.signal, upstream)
})

function aLeaving(scripts: readonly [Script, ...Script[]], stream = false) {
  const caller: Caller = aCaller()
  const upstream = upstreamNamed('a', ...scripts)
  const parts = aWalk([upstream, upstream, upstream], { signal: caller.signal, call: aCall({ stream }) })
  return { caller, upstream, parts }
}
