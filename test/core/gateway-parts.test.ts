import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Call } from '../../src/core/model/call.ts'
import { Failure } from '../../src/core/model/failure.ts'
import type { JsonObject } from '../../src/core/model/json/json.ts'
import type { AttemptRecord } from '../../src/core/model/record/record.ts'
import { expectNothingLeft, turn } from '../harness/core/attempt-walk.ts'
import { serve } from '../harness/core/core-gateway.ts'
import {
  aCall,
  burst,
  bursts,
  chatChunk,
  chatReply,
  fail,
  pause,
  readAll,
  type Script,
  type Step,
  scriptedUpstream,
  silence,
  textChunk,
  textOf,
  usage,
} from '../harness/scripted-upstream.ts'

const unhandled: unknown[] = []
const noteUnhandled = (reason: unknown) => void unhandled.push(reason)
beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
  unhandled.length = 0
  process.on('unhandledRejection', noteUnhandled)
})
afterEach(async () => {
  await vi.runAllTimersAsync()
  vi.useRealTimers()
  process.off('unhandledRejection', noteUnhandled)
  expect(unhandled).toEqual([])
})

const busy = fail(new Failure('overloaded', 'Busy.'))
const prompts = ['p', 'q', 'r']

describe('a JSON answer in parts', () => {
  test('is one answer: sorted choices, one id, every token counted once', async () => {
    const upstream = single(
      ...[30, 10, 20, 0].map((ms, at) => [
        pause(ms),
        ...textAnswer(`t${at}`, { id: `up-${at}`, usage: usage(7, at + 1) }),
      ]),
    )
    const { caller, reply, row, counted } = serve([upstream])
    const replying = reply(aCall({ body: { prompt: ['p', 'q'], n: 2, seed: 1 } }))
    await vi.advanceTimersByTimeAsync(30)
    const { chunk, usage: told } = await replying
    expect(chunk.value.choices).toEqual(
      [0, 1, 2, 3].map((index) => ({ index, text: `t${index}`, finish_reason: 'stop' })),
    )
    expect(chunk).toMatchObject({ id: 'up-3', object: 'text_completion' })
    expect(chunk.isWritten).toBe(false)
    expect(told).toEqual(usage(14, 10))
    expect(counted).toEqual([])
    expect(row).toMatchObject({ parts: 4, usage: usage(14, 10), usageEstimated: false, firstTokenMs: 0 })
    expect(upstream.calls.map(({ call }) => call.body)).toEqual(
      ['p', 'p', 'q', 'q'].map((prompt) => ({ prompt, seed: 1 })),
    )
    await expectNothingLeft(caller.signal, upstream)
  })

  test('of a chat has a message per choice', async () => {
    const upstream = single(
      bursts(chatReply({ content: 'a' })),
      bursts(chatChunk({ role: 'assistant', content: 'b' }), chatChunk({}, 'length')),
    )
    const { chunk } = await serve([upstream]).reply(aCall({ kind: 'chat', body: { messages: [], n: 2 } }))
    expect(chunk).toEqual({
      ...chatReply({}),
      choices: [
        { index: 0, message: { role: 'assistant', content: 'a' }, finish_reason: 'stop' },
        { index: 1, message: { role: 'assistant', content: 'b' }, finish_reason: 'length' },
      ],
    })
  })

  test('without usage has its prompts counted once and its completions, and is marked', async () => {
    const upstream = single(textAnswer('four'))
    const { reply, row } = serve([upstream])
    expect((await reply(aCall({ body: { prompt: ['ab', 'c'], n: 2 } }))).usage).toEqual(usage(3, 16))
    expect(row.usageEstimated).toBe(true)
  })

  test('with usage in only one part is marked', async () => {
    const upstream = single(textAnswer('four', { usage: usage(7, 1) }), textAnswer('four'))
    const { reply, row } = serve([upstream])
    expect((await reply(aCall({ body: { prompt: ['ab', 'c'] } }))).usage).toEqual(usage(8, 5))
    expect(row.usageEstimated).toBe(true)
  })
})

describe('a stream in parts', () => {
  const script = (name: string): Script =>
    [textChunk(`${name}1`), textChunk(`${name}2`), textChunk('', 'stop')].flatMap((chunk) => [
      burst(chunk),
      pause(10),
    ])

  test('interleaves its choices, each ended once, under one id', async () => {
    const upstream = single(...prompts.map(script))
    const { caller, row, stream } = serve([upstream])
    const { bursts: answer, usage: told } = await stream(inParts({ stream: true }))
    const reading = readAll(answer)
    await vi.runAllTimersAsync()
    const deltas = await reading
    expect(new Set(deltas.map(({ value: chunk }) => chunk.id)).size).toBe(1)
    const choices = deltas.flatMap(({ value: chunk }) => chunk.choices)
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2])
    for (const [index, name] of prompts.entries()) {
      const own = choices.filter((choice) => choice.index === index)
      expect(own.map(({ text, finish_reason: reason }) => [text, reason])).toEqual([
        [`${name}1`, null],
        [`${name}2`, null],
        ['', 'stop'],
      ])
    }
    expect(await told()).toEqual(usage(3, 12))
    expect(row).toMatchObject({ stream: true, parts: 3, usage: usage(3, 12), usageEstimated: true })
    await expectNothingLeft(caller.signal, upstream)
  })

  test('of whole chat replies has each choice’s role once', async () => {
    const upstream = single(bursts(chatReply({ content: 'a' })), bursts(chatReply({ content: 'b' })))
    const { stream } = serve([upstream])
    const deltas = await readAll(
      (await stream(aCall({ kind: 'chat', stream: true, body: { messages: [], n: 2 } }))).bursts,
    )
    for (const index of [0, 1]) {
      const own = deltas
        .flatMap(({ value: chunk }) => chunk.choices)
        .filter((choice) => choice.index === index)
      expect(own.filter(({ delta }) => delta?.role !== undefined).length).toBe(1)
      expect(own.filter(({ finish_reason: reason }) => reason !== null).length).toBe(1)
    }
  })

  test('is committed when its first part is', async () => {
    const upstream = single([silence], [pause(20), ...textAnswer('q')], [silence])
    const { caller, row, stream } = serve([upstream])
    const opening = stream(inParts({ stream: true }))
    await vi.advanceTimersByTimeAsync(20)
    for await (const [delta] of (await opening).bursts) {
      expect(delta?.value.choices[0]).toMatchObject({ index: 1, text: 'q' })
      break
    }
    expect(row.firstTokenMs).toBe(20)
    await expectNothingLeft(caller.signal, upstream)
  })
})

describe('parts run concurrently', () => {
  test.for([
    [1, 1],
    [2, 2],
    [3, 3],
    [9, 5],
  ] as const)('at most %i at once, started in order: %i', async ([fanOut, reached]) => {
    let open = 0
    let peak = 0
    const enter: Step = () => {
      peak = Math.max(peak, ++open)
      return []
    }
    const leave: Step = () => {
      open--
      return []
    }
    const upstream = single([enter, pause(10), leave, ...textAnswer('t')])
    const { reply } = serve([upstream], { fanOut })
    const replying = reply(aCall({ body: { prompt: ['1', '2', '3', '4', '5'] } }))
    await vi.runAllTimersAsync()
    await replying
    expect(peak).toBe(reached)
    expect(upstream.calls.map(({ call }) => call.body.value['prompt'])).toEqual(['1', '2', '3', '4', '5'])
  })

  test('each with its own retries', async () => {
    const upstream = single(textAnswer('p'), [busy], textAnswer('r'), textAnswer('q'))
    const { caller, reply, row } = serve([upstream])
    const replying = reply(inParts())
    await vi.runAllTimersAsync()
    expect(textOf([(await replying).chunk])).toBe('pqr')
    expect(row.attempts.map(({ part, outcome }) => [part, outcome])).toEqual([
      [0, 'ok'],
      [1, 'overloaded'],
      [2, 'ok'],
      [1, 'ok'],
    ])
    await expectNothingLeft(caller.signal, upstream)
  })
})

describe('one part that fails', () => {
  const refusal = fail(new Failure('rejected', 'Not that.'))

  test.for([false, true])('fails the whole, and cancels the others at once (stream: %o)', async (stream) => {
    const upstream = single([silence], [pause(10), refusal], [silence])
    const serving = serve([upstream])
    const call = inParts({ stream })
    const opening = stream ? serving.stream(call) : serving.reply(call)
    const rejection = expect(opening).rejects.toMatchObject({ kind: 'rejected', message: 'Not that.' })
    await vi.advanceTimersByTimeAsync(10)
    await rejection
    expect(Date.now()).toBe(1_700_000_000_010)
    expect(outcomesByPart(serving.row.attempts)).toEqual({
      0: 'superseded',
      1: 'rejected',
      2: 'superseded',
    })
    expect(upstream.calls.map(({ attempt }) => attempt.signal.aborted)).toEqual([true, true, true])
    await expectNothingLeft(serving.caller.signal, upstream)
  })

  test('after the answer was shown breaks it off, and no further part starts', async () => {
    const upstream = single(
      [...bursts(textChunk('p')), silence],
      [...bursts(textChunk('q')), refusal],
      textAnswer('r'),
    )
    const { caller, row, stream } = serve([upstream], { fanOut: 2 })
    const { bursts: answer } = await stream(inParts({ stream: true }))
    await expect(readAll(answer)).rejects.toMatchObject({ kind: 'rejected' })
    expect(upstream.calls.length).toBe(2)
    expect(outcomesByPart(row.attempts)).toEqual({ 0: 'superseded', 1: 'rejected' })
    await expectNothingLeft(caller.signal, upstream)
  })

  test('beside other failures is the one reported, without unhandled rejections', async () => {
    const upstream = single(
      [pause(5), refusal],
      [refusal],
      [fail(new Failure('context_length', 'Too long.'))],
    )
    const { caller, reply } = serve([upstream])
    const rejection = expect(reply(inParts())).rejects.toMatchObject({ kind: 'rejected' })
    await vi.advanceTimersByTimeAsync(10)
    await rejection
    await expectNothingLeft(caller.signal, upstream)
  })

  test('waiting between attempts is cancelled with the others', async () => {
    const upstream = single([busy], [pause(10), refusal], [silence])
    const { caller, reply } = serve([upstream])
    const rejection = expect(reply(inParts())).rejects.toMatchObject({ kind: 'rejected' })
    await vi.advanceTimersByTimeAsync(10)
    await rejection
    await expectNothingLeft(caller.signal, upstream)
    await vi.runAllTimersAsync()
    expect(upstream.calls.length).toBe(3)
  })
})

describe('a caller that leaves cancels all parts', () => {
  test('before any is answered', async () => {
    const upstream = single([silence])
    const { caller, reply, row } = serve([upstream], { fanOut: 2 })
    const rejection = expect(reply(inParts())).rejects.toBe(caller.reason)
    await turn()
    caller.leave()
    await rejection
    expect(upstream.calls.map(({ attempt }) => attempt.signal.reason)).toEqual([caller.reason, caller.reason])
    expect(outcomesByPart(row.attempts)).toEqual({ 0: 'caller_left', 1: 'caller_left' })
    await expectNothingLeft(caller.signal, upstream)
  })

  test('in the middle of a stream', async () => {
    const upstream = single([burst(textChunk('t')), silence])
    const { caller, stream } = serve([upstream])
    const reading = async () => readAll((await stream(inParts({ stream: true }))).bursts)
    const rejection = expect(reading()).rejects.toBe(caller.reason)
    await turn()
    caller.leave()
    await rejection
    await expectNothingLeft(caller.signal, upstream)
  })

  test('by no longer reading', async () => {
    const upstream = single([burst(textChunk('t')), silence])
    const { caller, row, stream } = serve([upstream])
    for await (const _ of (await stream(inParts({ stream: true }))).bursts) break
    expect(upstream.calls.every(({ attempt }) => attempt.signal.aborted)).toBe(true)
    await expectNothingLeft(caller.signal, upstream)
    expect(outcomesByPart(row.attempts)).toEqual({ 0: 'caller_left', 1: 'caller_left', 2: 'caller_left' })
  })
})

test('too many parts are refused before anything is sent', async () => {
  const upstream = single([silence])
  const { reply } = serve([upstream], { choices: 2 })
  await expect(reply(inParts())).rejects.toMatchObject({ kind: 'invalid_request', param: 'prompt' })
  expect(upstream.calls).toEqual([])
})

function single(...scripts: Script[]) {
  const [first = [], ...rest] = scripts
  return scriptedUpstream([first, ...rest], { name: 'a', oneChoice: { text: true, chat: true } })
}

function textAnswer(text: string, extra: JsonObject = {}): Script {
  return bursts({ ...textChunk(text, 'stop'), ...extra })
}

function inParts(change: Partial<Call> = {}): Call {
  return aCall({ body: { prompt: prompts }, ...change })
}

function outcomesByPart(attempts: readonly AttemptRecord[]): Record<number, string> {
  return Object.fromEntries(attempts.map(({ part, outcome }) => [part, outcome]))
}
