import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { attempt } from '../../../src/core/attempt/attempt.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import type { Upstream } from '../../../src/core/model/ports.ts'
import { unknownPrice } from '../../../src/core/model/price.ts'
import {
  aCaller,
  attemptParts,
  expectNothingLeft,
  outcomesOf,
  turn,
  watched,
} from '../../harness/core/attempt-walk.ts'
import {
  aCall,
  act,
  aDeployment,
  bursts,
  chatChunk,
  chatReply,
  fail,
  pause,
  rawDelta,
  readAll,
  type Script,
  scriptedUpstream,
  silence,
  textChunk,
  timersClock,
  usage,
} from '../../harness/scripted-upstream.ts'

const clocks = { connectMs: 100, firstTokenMs: 1000, idleMs: 500, totalMs: 10_000 }

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a JSON answer', () => {
  test('that comes whole is passed on unchanged', async () => {
    const reply = { ...textChunk('Hi', 'stop'), usage: usage(3, 4) }
    const { parts, upstream } = aTry(bursts(reply))
    const answer = await attempt(parts)
    expect(await readAll(answer.bursts)).toEqual([rawDelta(reply)])
    expect(answer.deployment).toBe(parts.deployment)
    expect(answer.usage()).toMatchObject({ promptTokens: 3, completionTokens: 4 })
    expect(parts.context.record.row.attempts).toMatchObject([{ outcome: 'ok', firstTokenMs: 0, totalMs: 0 }])
    await expectNothingLeft(parts.signal, upstream)
  })

  test('that comes in chunks is passed on as one reply', async () => {
    const call = aCall({ kind: 'chat' })
    const script = bursts(chatChunk({ role: 'assistant', content: 'H' }), chatChunk({ content: 'i' }, 'stop'))
    const answer = await attempt(aTry(script, { call }).parts)
    expect(await readAll(answer.bursts)).toEqual([JsonText.of(chatReply({ content: 'Hi' }))])
  })

  test('is limited by the total clock only', async () => {
    const { parts } = aTry([pause(clocks.totalMs - 1), ...bursts(textChunk('Hi', 'stop'))])
    const answer = attempt(parts)
    await vi.advanceTimersByTimeAsync(clocks.totalMs)
    expect(await readAll((await answer).bursts)).toHaveLength(1)
  })

  test.for([
    ['the total clock', clocks.totalMs, {}],
    ['the deadline', 700, { deadlineAt: 1_700_000_000_700 }],
  ] as const)('that does not come is cancelled when %s expires', async ([, ms, change]) => {
    const { parts, upstream } = aTry([...bursts(textChunk('Hi')), silence], change)
    const answer = attempt(parts)
    const state = watched(answer)
    await vi.advanceTimersByTimeAsync(ms - 1)
    expect(state.state()).toBe('waiting')
    await vi.advanceTimersByTimeAsync(1)
    await expect(answer).rejects.toMatchObject({ kind: 'timeout', provider: 'scripted' })
    expect(parts.context.record.row.attempts).toMatchObject([
      { outcome: 'timeout', totalMs: ms, firstTokenMs: undefined },
    ])
    expect(upstream.calls[0]?.attempt.signal.reason).toMatchObject({ kind: 'timeout' })
    await expectNothingLeft(parts.signal, upstream)
  })

  const broken: readonly (readonly [string, Script, string])[] = [
    ['nothing', [], 'interrupted'],
    ['nothing but usage', bursts({ choices: [], usage: usage(1, 1) }), 'interrupted'],
    ['an object that is not an answer', bursts({}), 'interrupted'],
    ['half an answer', bursts(textChunk('Hi')), 'interrupted'],
    ['an error', bursts({ error: { message: 'No.' } }), 'upstream_error'],
    ['a failure', [fail(new Failure('rate_limited', 'Slow down.'))], 'rate_limited'],
    [
      'a failure after half an answer',
      [...bursts(textChunk('Hi')), fail(new Failure('unreachable', 'Cut.'))],
      'unreachable',
    ],
  ]
  test.for(broken)('of %s is refused', async ([, script, kind]) => {
    const { parts, upstream } = aTry(script)
    await expect(attempt(parts)).rejects.toMatchObject({ kind, provider: 'scripted' })
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual([kind])
    await expectNothingLeft(parts.signal, upstream)
  })
})

describe('a stream', () => {
  const role = chatChunk({ role: 'assistant', content: '' })
  const call = aCall({ kind: 'chat', stream: true })

  test('is committed at its first visible delta, which a role alone is not', async () => {
    const script = [
      ...bursts(role),
      pause(300),
      ...bursts(chatChunk({ content: 'Hi' })),
      ...bursts(chatChunk({}, 'stop')),
    ]
    const { parts, upstream } = aTry(script, { call })
    const opening = attempt(parts)
    const state = watched(opening)
    await vi.advanceTimersByTimeAsync(299)
    expect(state.state()).toBe('waiting')
    await vi.advanceTimersByTimeAsync(1)
    expect(parts.context.record.row.attempts).toMatchObject([{ firstTokenMs: 300 }])
    expect(await readAll((await opening).bursts)).toEqual(
      [role, chatChunk({ content: 'Hi' }), chatChunk({}, 'stop')].map(rawDelta),
    )
    await expectNothingLeft(parts.signal, upstream)
  })

  test.for([
    ['content', chatChunk({ content: 'Hi' })],
    ['reasoning', chatChunk({ reasoning_content: 'Hm' })],
    [
      'a tool call',
      chatChunk({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f' } }] }),
    ],
    ['an end', chatChunk({}, 'stop')],
  ] as const)('is committed at %s', async ([, chunk]) => {
    const { parts } = aTry([...bursts(role), ...bursts(chunk), silence], { call })
    const { bursts: answer } = await attempt(parts)
    const first = await iteratorOf(answer).next()
    expect(first.value).toHaveLength(2)
  })

  test('keeps the bursts in which it arrived', async () => {
    const { parts } = aTry(
      [() => [role, chatChunk({ content: 'a' })], () => [chatChunk({ content: 'b' }), chatChunk({}, 'stop')]],
      { call },
    )
    const { bursts: answer } = await attempt(parts)
    const lengths: number[] = []
    for await (const deltas of answer) lengths.push(deltas.length)
    expect(lengths).toEqual([2, 2])
  })

  test('is not read ahead of its reader', async () => {
    const { parts, upstream } = aTry(
      bursts(role, chatChunk({ content: 'a' }), chatChunk({ content: 'b' }), chatChunk({}, 'stop')),
      { call },
    )
    const iterator = iteratorOf((await attempt(parts)).bursts)
    await turn()
    expect(upstream.calls[0]?.taken).toBe(2)
    await iterator.next()
    await turn()
    expect(upstream.calls[0]?.taken).toBe(2)
    await iterator.next()
    expect(upstream.calls[0]?.taken).toBe(3)
    await iterator.return?.()
  })

  test('that comes as one whole reply becomes chunks', async () => {
    const { parts, upstream } = aTry(bursts({ ...chatReply({ content: 'Hi' }), usage: usage(3, 4) }), {
      call,
    })
    const answer = await attempt(parts)
    const deltas = await readAll(answer.bursts)
    expect(deltas.map(({ value: chunk }) => chunk)).toEqual(
      [role, chatChunk({ content: 'Hi' }), chatChunk({}, 'stop')].map((chunk) => ({ ...chunk, usage: null })),
    )
    expect(answer.usage()).toMatchObject({ promptTokens: 3, completionTokens: 4 })
    await expectNothingLeft(parts.signal, upstream)
  })

  test('reports its usage once it has ended', async () => {
    const script = bursts(chatChunk({ content: 'Hi' }, 'stop'), { choices: [], usage: usage(3, 4) })
    const answer = await attempt(aTry(script, { call }).parts)
    expect(answer.usage()).toBeUndefined()
    await readAll(answer.bursts)
    expect(answer.usage()).toMatchObject({ promptTokens: 3, completionTokens: 4 })
  })

  const broken: readonly (readonly [string, Script, string])[] = [
    ['ends too soon', [], 'interrupted'],
    ['reports an error', bursts({ error: 'No.' }), 'upstream_error'],
    ['fails', [fail(new Failure('unreachable', 'Cut.'))], 'unreachable'],
  ]
  describe.for(broken)('that %s', ([, script, kind]) => {
    test('before it is visible rejects, nothing shown', async () => {
      const { parts, upstream } = aTry([...bursts(role), ...script], { call })
      await expect(attempt(parts)).rejects.toMatchObject({ kind, provider: 'scripted' })
      expect(parts.context.record.row.attempts).toMatchObject([{ outcome: kind, firstTokenMs: undefined }])
      await expectNothingLeft(parts.signal, upstream)
    })

    test('after it was visible rejects where it broke', async () => {
      const { parts, upstream } = aTry([...bursts(chatChunk({ content: 'Hi' })), ...script], { call })
      const iterator = iteratorOf((await attempt(parts)).bursts)
      expect((await iterator.next()).value).toHaveLength(1)
      await expect(iterator.next()).rejects.toMatchObject({ kind, provider: 'scripted' })
      expect(parts.context.record.row.attempts).toMatchObject([{ outcome: kind, firstTokenMs: 0 }])
      await expectNothingLeft(parts.signal, upstream)
    })
  })
})

describe('the record of an attempt', () => {
  test('has its deployment, its durations and the upstream’s own data', async () => {
    const script = [
      pause(40),
      act(({ notes }) => {
        notes.headersAt = timersClock.now()
        notes.upstreamStatus = 200
        notes.upstreamRequestId = 'up-req-7'
        notes.dropped.push('seed')
        notes.converted.push('messages to prompt (llama3)')
      }),
      pause(60),
      ...bursts(textChunk('Hi', 'stop')),
    ]
    const startedAt = timersClock.now() - 25
    const { parts } = aTry(script, { startedAt, part: 3, call: aCall({ stream: true }) })
    const opening = attempt(parts)
    await vi.advanceTimersByTimeAsync(100)
    const { bursts: answer } = await opening
    // Headers are written now, so the dropped fields must be known.
    expect([...parts.context.record.row.dropped]).toEqual(['seed'])
    await vi.advanceTimersByTimeAsync(10)
    await readAll(answer)
    expect(parts.context.record.row.attempts).toEqual([
      {
        deployment: 'some-model@scripted',
        provider: 'scripted',
        part: 3,
        startMs: 25,
        headersMs: 40,
        firstTokenMs: 100,
        totalMs: 110,
        outcome: 'ok',
        ...{ upstreamStatus: 200, upstreamRequestId: 'up-req-7', price: unknownPrice, used: undefined },
        ...{ isEstimated: false, isDelivered: true, isResumed: false, isUncertain: false },
        ...{ queuedMs: undefined, costNanoUsd: undefined },
      },
    ])
    expect([...parts.context.record.row.converted]).toEqual(['messages to prompt (llama3)'])
  })

  test('of a failure has what was known until then', async () => {
    const script = [
      act(({ notes }) => {
        notes.upstreamStatus = 503
      }),
      fail(new Failure('overloaded', 'Busy.')),
    ]
    const { parts } = aTry(script)
    await expect(attempt(parts)).rejects.toMatchObject({ kind: 'overloaded' })
    expect(parts.context.record.row.attempts).toMatchObject([
      { outcome: 'overloaded', upstreamStatus: 503, headersMs: undefined },
    ])
  })

  test('of a repaired answer has its flags', async () => {
    const { parts } = aTry(bursts(textChunk('Hi', 'stop'), textChunk('Ho')))
    await attempt(parts)
    expect([...parts.context.record.row.flags]).toEqual(['text_after_finish'])
  })
})

test('the upstream gets its own name of the model, or the caller’s', async () => {
  const upstream = scriptedUpstream([bursts(textChunk('Hi', 'stop'))])
  await attempt(attemptParts(upstream))
  await attempt(attemptParts(upstream, { deployment: aDeployment(upstream, { upstreamModel: 'org/model' }) }))
  expect(upstream.calls.map(({ attempt: { upstreamModel } }) => upstreamModel)).toEqual([
    'some-model',
    'org/model',
  ])
})

test.for([
  ['text', 'cmpl-0123456789abcdef01234567', { text: 'Hi' }],
  ['chat', 'chatcmpl-0123456789abcdef01234567', { message: { content: 'Hi' } }],
] as const)('a %s without an id, a date or a model gets those of the call', async ([kind, id, held]) => {
  const { parts } = aTry(bursts({ choices: [{ ...held, finish_reason: 'stop' }] }), { call: aCall({ kind }) })
  const [reply] = await readAll((await attempt(parts)).bursts)
  expect(reply?.value).toMatchObject({ id, created: 1_700_000_000, model: 'some-model' })
})

describe('an error that is not a Failure', () => {
  test('is an invalid response, with the cause for the log', async () => {
    const bug = new TypeError('a bug')
    const { parts, upstream } = aTry([fail(bug)])
    await expect(attempt(parts)).rejects.toMatchObject({
      kind: 'invalid_response',
      provider: 'scripted',
      isBug: true,
      cause: bug,
    })
    expect(outcomesOf(parts.context.record.row.attempts)).toEqual(['invalid_response'])
    await expectNothingLeft(parts.signal, upstream)
  })
})

test('an upstream that throws before its answer leaves nothing behind', async () => {
  const refusal = new Failure('unsupported', 'No tools here.')
  const upstream: Upstream = {
    ...scriptedUpstream([[]]),
    send() {
      throw refusal
    },
  }
  const caller = aCaller()
  const parts = {
    ...attemptParts(scriptedUpstream([[]])),
    deployment: aDeployment(upstream),
    signal: caller.signal,
  }
  await vi.advanceTimersByTimeAsync(5)
  await expect(attempt(parts)).rejects.toBe(refusal)
  expect(parts.context.record.row.attempts).toMatchObject([{ outcome: 'unsupported', startMs: 5 }])
  await expectNothingLeft(caller.signal)
})

function aTry(script: Script, change: Parameters<typeof attemptParts>[1] = {}) {
  const upstream = scriptedUpstream([script], { clocks })
  return { upstream, parts: attemptParts(upstream, change) }
}

function iteratorOf<T>(values: AsyncIterable<T> | Iterable<T>): AsyncIterator<T> {
  if (!(Symbol.asyncIterator in values)) throw new TypeError('A stream is read step by step.')
  return values[Symbol.asyncIterator]()
}
