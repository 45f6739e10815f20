import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { attempt } from '../../../src/core/attempt/attempt.ts'
import type { RawDelta } from '../../../src/core/model/call.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import type { Sent, Upstream } from '../../../src/core/model/ports.ts'
import { aCaller, attemptParts, expectNothingLeft } from '../../harness/core/attempt-walk.ts'
import {
  aCall,
  bursts,
  fail,
  pause,
  readAll,
  type Script,
  type ScriptedUpstream,
  scriptedUpstream,
  silence,
  textChunk,
  textOf,
  usageChunk,
} from '../../harness/scripted-upstream.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const call = aCall({ stream: true })
const said = bursts(textChunk('a'), textChunk('b', 'stop'))
const cut = fail(new Failure('interrupted', 'Cut.'))

describe('after every choice has finished', () => {
  test.for<[string, Script]>([
    ['silence', [...said, silence]],
    ['a cut', [...said, cut]],
    ['a connection that goes', [...said, fail(new Failure('unreachable', 'Gone.'))]],
  ])('%s does not affect the answer', async ([, script]) => {
    const { answer, parts, upstream } = await begin(script)
    const reading = readAll(answer.bursts)
    await vi.advanceTimersByTimeAsync(3000)
    expect(textOf(await reading)).toBe('ab')
    expect(parts.context.record.row.attempts).toMatchObject([{ outcome: 'ok' }])
    await expectNothingLeft(parts.signal, upstream)
  })

  test('late usage counts', async () => {
    const { answer } = await begin([...said, pause(2500), ...bursts(usageChunk(3, 4))])
    const reading = readAll(answer.bursts)
    await vi.advanceTimersByTimeAsync(2500)
    await reading
    expect(answer.usage()).toMatchObject({ promptTokens: 3, completionTokens: 4 })
  })

  test('an upstream that must send a terminator has broken off without it', async () => {
    const { answer } = await begin([...said, cut], { needsDone: true })
    await expect(readAll(answer.bursts)).rejects.toMatchObject({ kind: 'interrupted' })
  })

  test('an error of the gateway is an error', async () => {
    const { answer } = await begin([...said, fail(new TypeError('a bug'))])
    await expect(readAll(answer.bursts)).rejects.toMatchObject({ kind: 'invalid_response' })
  })

  test('of one choice, the others are awaited', async () => {
    const two = aCall({ stream: true, body: { prompt: 'x', n: 2 } })
    const { answer } = await begin([...said, cut], {}, two)
    await expect(readAll(answer.bursts)).rejects.toMatchObject({ kind: 'interrupted' })
  })
})

describe('an upstream that is drained when the caller leaves', () => {
  const whole: Script = [
    ...bursts(textChunk('a')),
    pause(1000),
    ...bursts(textChunk('b'), textChunk('c', 'stop'), usageChunk(3, 40)),
  ]

  test.for<[string, boolean]>([
    ['in the middle of a stream', true],
    ['before a JSON answer', false],
  ])('reports its usage: %s', async ([, stream]) => {
    const caller = aCaller()
    const upstream = scriptedUpstream([whole], { drains: true })
    const parts = attemptParts(upstream, { call: aCall({ stream }), signal: caller.signal })
    const trying = attempt(parts).then(({ bursts: answer }) => readAll(answer))
    const left = expect(trying).rejects.toBe(caller.reason)
    await vi.advanceTimersByTimeAsync(500)
    caller.leave()
    await vi.advanceTimersByTimeAsync(500)
    await left
    expect(parts.context.record.row.attempts).toMatchObject([
      { outcome: 'caller_left', used: { promptTokens: 3, completionTokens: 40 }, totalMs: 1000 },
    ])
    expect(upstream.calls[0]?.attempt.signal.reason).toBe(caller.reason)
    await expectNothingLeft(caller.signal, upstream)
  })

  test('before the first token too', async () => {
    const caller = aCaller()
    const upstream = scriptedUpstream([[pause(1000), ...whole]], { drains: true })
    const parts = attemptParts(upstream, { call, signal: caller.signal })
    const left = expect(attempt(parts)).rejects.toBe(caller.reason)
    await vi.advanceTimersByTimeAsync(10)
    caller.leave()
    await vi.advanceTimersByTimeAsync(2000)
    await left
    expect(parts.context.record.row.attempts).toMatchObject([
      { outcome: 'caller_left', used: { completionTokens: 40 }, isDelivered: false, totalMs: 2000 },
    ])
    await expectNothingLeft(caller.signal, upstream)
  })

  test('when its reader returns because of that', async () => {
    const caller = aCaller()
    const upstream = scriptedUpstream([whole], { drains: true })
    const parts = attemptParts(upstream, { call, signal: caller.signal })
    const { bursts: answer } = await attempt(parts)
    const iterator = Symbol.asyncIterator in answer ? answer[Symbol.asyncIterator]() : undefined
    await iterator?.next()
    caller.leave()
    const returning = iterator?.return?.()
    await vi.advanceTimersByTimeAsync(1000)
    await returning
    expect(parts.context.record.row.attempts).toMatchObject([{ used: { completionTokens: 40 } }])
    await expectNothingLeft(parts.signal, upstream)
  })

  test('is read one step at a time, even if its reader returns during a step', async () => {
    const caller = aCaller()
    const scripted = scriptedUpstream([whole], { drains: true })
    const steps = { underWay: 0, most: 0 }
    const upstream: ScriptedUpstream = {
      ...scripted,
      calls: scripted.calls,
      send: (asked, trying) => counted(scripted.send(asked, trying), steps),
    }
    const parts = attemptParts(upstream, { call, signal: caller.signal })
    const { bursts: answer } = await attempt(parts)
    const iterator = Symbol.asyncIterator in answer ? answer[Symbol.asyncIterator]() : undefined
    await iterator?.next()
    const left = expect(iterator?.next()).rejects.toBe(caller.reason)
    caller.leave()
    const returning = iterator?.return?.()
    await vi.advanceTimersByTimeAsync(1000)
    await Promise.all([left, returning])
    expect(steps).toEqual({ underWay: 0, most: 1 })
    expect(parts.context.record.row.attempts).toMatchObject([
      { outcome: 'caller_left', used: { completionTokens: 40 } },
    ])
    await expectNothingLeft(caller.signal, upstream)
  })

  test('is cancelled at once if the gateway ends the call', async () => {
    const controller = new AbortController()
    const upstream = scriptedUpstream([whole], { drains: true })
    const parts = attemptParts(upstream, { call, signal: controller.signal })
    const { bursts: answer } = await attempt(parts)
    const ended = expect(readAll(answer)).rejects.toMatchObject({ kind: 'draining' })
    await vi.advanceTimersByTimeAsync(10)
    controller.abort(new Failure('draining', 'The gateway is shutting down.'))
    await ended
    expect(parts.context.record.row.attempts).toMatchObject([{ outcome: 'draining', totalMs: 10 }])
    await expectNothingLeft(controller.signal, upstream)
  })

  test('is cancelled if its reader returns for another reason', async () => {
    const { answer, upstream, parts } = await begin(whole, { drains: true })
    const iterator = Symbol.asyncIterator in answer.bursts ? answer.bursts[Symbol.asyncIterator]() : undefined
    await iterator?.next()
    await iterator?.return?.()
    expect(parts.context.record.row.attempts).toMatchObject([{ totalMs: 0 }])
    await expectNothingLeft(parts.signal, upstream)
  })

  test('is drained only within its clocks', async () => {
    const caller = aCaller()
    const upstream = scriptedUpstream([[...bursts(textChunk('a')), silence]], { drains: true })
    const parts = attemptParts(upstream, { call, signal: caller.signal })
    const { bursts: answer } = await attempt(parts)
    const left = expect(readAll(answer)).rejects.toBe(caller.reason)
    await vi.advanceTimersByTimeAsync(10)
    caller.leave()
    await vi.advanceTimersByTimeAsync(30_000)
    await left
    await expectNothingLeft(caller.signal, upstream)
  })
})

/** What was sent, and how many steps were requested at once. */
function counted(sent: Sent, steps: { underWay: number; most: number }): AsyncIterable<readonly RawDelta[]> {
  if ('then' in sent) throw new TypeError('A stream is read step by step.')
  const iterator = sent[Symbol.asyncIterator]()
  const next = () => {
    steps.most = Math.max(steps.most, ++steps.underWay)
    return iterator.next().finally(() => steps.underWay--)
  }
  return { [Symbol.asyncIterator]: () => ({ next, return: () => finished(iterator) }) }
}

async function finished(
  iterator: AsyncIterator<readonly RawDelta[]>,
): Promise<IteratorReturnResult<undefined>> {
  await iterator.return?.()
  return { done: true, value: undefined }
}

async function begin(script: Script, change: Partial<Upstream> = {}, asked = call) {
  const upstream = scriptedUpstream([script], change)
  const parts = attemptParts(upstream, { call: asked })
  return { answer: await attempt(parts), parts, upstream }
}
