import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { commitBy } from '../../../src/core/attempt/share.ts'
import type { Call } from '../../../src/core/model/call.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import {
  answering,
  attemptParts,
  aWalk,
  expectNothingLeft,
  outcomesOf,
  settled,
  upstreamNamed as upstream,
  walkPlan,
} from '../../harness/core/attempt-walk.ts'
import { aCall, aDeployment, scriptedUpstream, silence } from '../../harness/scripted-upstream.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the time that an attempt gets for an answer', () => {
  const cases: readonly (readonly [
    string,
    Partial<Call> & { body?: Call['body'] },
    number,
    number | undefined,
    number,
  ])[] = [
    ['without others: all the time', {}, 0, undefined, 600_000],
    ['streamed: half', { stream: true }, 1, undefined, 300_000],
    ['whole, without a bound on its length: half', {}, 2, undefined, 300_000],
    ['whole, of 150 tokens', { body: JsonText.of({ max_tokens: 150 }) }, 1, undefined, 40_000],
    ['by the newer name', { body: JsonText.of({ max_completion_tokens: 150 }) }, 1, undefined, 40_000],
    ['of 150 tokens at 100 a second', { body: JsonText.of({ max_tokens: 150 }) }, 1, 100, 36_000],
    ['of 150 tokens at one a second: half', { body: JsonText.of({ max_tokens: 150 }) }, 1, 1, 300_000],
    ['of vectors', { kind: 'embeddings' as 'chat' }, 1, undefined, 30_000],
  ]
  test.for(cases)('%s', ([, change, others, tokensPerSecond, ms]) => {
    const call = aCall(change)
    const deployment = aDeployment(scriptedUpstream([[]]))
    const parts = {
      call,
      deployment,
      now: 1000,
      deadlineAt: 601_000,
      others,
      tokensPerSecond,
      firstTokenMs: 400,
      isTrial: false,
    }
    expect(commitBy(parts) - 1000).toBe(ms)
  })
})

test.for([
  ['whole', false],
  ['streamed', true],
] as const)(
  'an answer requested %s comes from elsewhere if the first deployment never answers',
  async ([, stream]) => {
    const clocks = { connectMs: 5000, firstTokenMs: 600_000, idleMs: 600_000, totalMs: 600_000 }
    const [a, b] = [upstream('a', [silence]), upstream('b', answering('b'))]
    const { startedAt } = attemptParts(a).context
    const parts = aWalk([a, b], { call: aCall({ stream }), deadlineAt: startedAt + 10_000 })
    const slow = parts.plan.map((deployment) => ({ ...deployment, clocks }))
    const walking = settled(walkPlan({ ...parts, plan: slow as unknown as typeof parts.plan }))
    await vi.advanceTimersByTimeAsync(5000)
    expect(await walking).toEqual({ text: 'b' })
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual(['timeout', 'ok'])
    await expectNothingLeft(parts.signal, a, b)
  },
)

test('of three deployments that never answer each is tried, and the last gets all the remaining time', async () => {
  const [a, b, c] = [upstream('a', [silence]), upstream('b', [silence]), upstream('c', [silence])]
  const { startedAt } = attemptParts(a).context
  const parts = aWalk([a, b, c], { deadlineAt: startedAt + 8000 })
  const walking = settled(walkPlan(parts))
  await vi.advanceTimersByTimeAsync(8000)
  expect(await walking).toMatchObject({ kind: 'timeout' })
  expect(parts.context.record.row.attempts.map(({ totalMs }) => totalMs)).toEqual([4000, 2000, 2000])
})
