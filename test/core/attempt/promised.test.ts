import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { attempt } from '../../../src/core/attempt/attempt.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import type { Sent } from '../../../src/core/model/ports.ts'
import { attemptParts, expectNothingLeft, outcomesOf } from '../../harness/core/attempt-walk.ts'
import {
  aCall,
  aDeployment,
  rawDelta,
  readAll,
  scriptedUpstream,
  textChunk,
} from '../../harness/scripted-upstream.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const overloaded = new Failure('overloaded', 'Later.')

for (const stream of [false, true]) {
  const asked = stream ? 'a stream' : 'a JSON answer'

  test(`the whole answer as one promise serves ${asked}`, async () => {
    const reply = rawDelta(textChunk('Hi', 'stop'))
    const parts = aTry(stream, () => Promise.resolve([reply]))
    const { bursts } = await attempt(parts)
    expect(await readAll(bursts)).toEqual([reply])
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual(['ok'])
    await expectNothingLeft(parts.signal)
  })

  test.for([
    ['that rejects', 'overloaded', () => Promise.reject(overloaded)],
    ['of nothing', 'interrupted', () => Promise.resolve([])],
    ['of half an answer', 'interrupted', () => Promise.resolve([rawDelta(textChunk('Hi'))])],
    ['that takes too long', 'timeout', () => new Promise<never>(() => undefined)],
  ] as const)(`a promise %s fails ${asked}`, async ([, kind, send]) => {
    const parts = aTry(stream, send)
    const failed = expect(attempt(parts).then(({ bursts }) => readAll(bursts))).rejects.toMatchObject({
      kind,
    })
    await vi.advanceTimersByTimeAsync(600_000)
    await failed
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual([kind])
    await expectNothingLeft(parts.signal)
  })
}

function aTry(stream: boolean, send: () => Sent) {
  const scripted = scriptedUpstream([[]])
  return attemptParts(scripted, {
    call: aCall({ stream }),
    deployment: aDeployment({ ...scripted, send }),
  })
}
