import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Failure } from '../../src/core/model/failure.ts'
import { expectNothingLeft, outcomesOf, upstreamNamed } from '../harness/core/attempt-walk.ts'
import { serve } from '../harness/core/core-gateway.ts'
import {
  aCall,
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
  textOf,
  usage,
  usageChunk,
} from '../harness/scripted-upstream.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const chat = aCall({ kind: 'chat' })
const busy = fail(new Failure('overloaded', 'Busy.'))

describe('a reply', () => {
  test('of one upstream is forwarded unchanged, with its usage', async () => {
    const whole = { ...chatReply({ content: 'Hi' }), usage: { ...usage(3, 4), cached_tokens: 1 } }
    const upstream = upstreamNamed('a', bursts(whole))
    const { caller, counted, reply, row } = serve([upstream])
    expect(await reply(chat)).toEqual({
      chunk: rawDelta(whole),
      usage: { ...usage(3, 4), cached_tokens: 1, prompt_tokens_details: { cached_tokens: 1 } },
    })
    expect(counted).toEqual([])
    expect(row).toMatchObject({
      kind: 'chat',
      model: 'some-model',
      stream: false,
      provider: 'a',
      deployment: 'm@a',
      parts: 1,
      usage: usage(3, 4),
      usageEstimated: false,
    })
    await expectNothingLeft(caller.signal, upstream)
  })

  test('in chunks is folded, with its usage once', async () => {
    const upstream = upstreamNamed(
      'a',
      bursts(
        chatChunk({ role: 'assistant', content: 'H' }),
        chatChunk({ content: 'i' }, 'stop'),
        usageChunk(3, 4),
      ),
    )
    const { reply } = serve([upstream])
    expect(await reply(chat)).toEqual({
      chunk: chatReply({ content: 'Hi' }),
      usage: usage(3, 4),
    })
  })

  test('without usage has it counted, and is marked', async () => {
    const { counted, reply, row } = serve([upstreamNamed('a', bursts(textChunk('Hello', 'stop')))])
    const { usage: told } = await reply(aCall({ body: { prompt: 'Say it.' } }))
    expect(told).toEqual(usage(7, 5))
    expect(counted).toEqual(['Say it.', 'Hello'])
    expect(row).toMatchObject({ usage: usage(7, 5), usageEstimated: true })
  })

  test('with partial usage has the rest counted', async () => {
    const script = bursts({ ...textChunk('Hello', 'stop'), usage: { prompt_tokens: 3 } })
    const { counted, reply, row } = serve([upstreamNamed('a', script)])
    expect((await reply(aCall())).usage).toEqual(usage(3, 5))
    expect(counted).toEqual(['Hello'])
    expect(row.usageEstimated).toBe(true)
  })

  test('of the second upstream contains nothing of the first', async () => {
    const [a, b] = [
      upstreamNamed('a', [...bursts(textChunk('a')), busy]),
      upstreamNamed('b', bursts(textChunk('b', 'stop'))),
    ]
    const { caller, reply, row } = serve([a, b])
    expect(textOf([(await reply(aCall())).chunk])).toBe('b')
    expect(row).toMatchObject({ provider: 'b', deployment: 'm@b' })
    expect(outcomesOf(row.attempts)).toEqual(['overloaded', 'ok'])
    await expectNothingLeft(caller.signal, a, b)
  })
})

describe('a stream', () => {
  const call = aCall({ stream: true })

  test('yields its bursts, then its usage', async () => {
    const chunks = [textChunk('H'), textChunk('i', 'stop')]
    const upstream = upstreamNamed('a', bursts(...chunks, usageChunk(3, 4)))
    const { caller, row, stream } = serve([upstream])
    const { bursts: answer, usage: told } = await stream(call)
    expect(await readAll(answer)).toEqual(chunks.map(rawDelta))
    expect(await told()).toEqual(usage(3, 4))
    expect(row).toMatchObject({ stream: true, provider: 'a', usage: usage(3, 4), usageEstimated: false })
    await expectNothingLeft(caller.signal, upstream)
  })

  test('without usage has its text counted', async () => {
    const { counted, row, stream } = serve([
      upstreamNamed('a', bursts(textChunk('Hel'), textChunk('lo', 'stop'))),
    ])
    const { bursts: answer, usage: told } = await stream(call)
    await readAll(answer)
    expect(await told()).toEqual(usage(10, 5))
    expect(counted).toEqual(['Say hello.', 'Hello'])
    expect(row.usageEstimated).toBe(true)
  })

  test('is cancelled when its reader leaves', async () => {
    const upstream = upstreamNamed('a', [...bursts(textChunk('a')), silence])
    const { caller, row, stream } = serve([upstream])
    for await (const _ of (await stream(call)).bursts) break
    expect(upstream.calls[0]?.attempt.signal.aborted).toBe(true)
    expect(outcomesOf(row.attempts)).toEqual(['caller_left'])
    await expectNothingLeft(caller.signal, upstream)
  })
})

describe('the time to the first token', () => {
  test.for([false, true])('runs from the first attempt’s start (stream: %o)', async (stream) => {
    const upstream = upstreamNamed('a', [pause(30), busy], [pause(70), ...bursts(textChunk('Hi', 'stop'))])
    const serving = serve([upstream])
    await vi.advanceTimersByTimeAsync(25)
    const call = aCall({ stream })
    const opening = stream ? serving.stream(call) : serving.reply(call)
    await vi.advanceTimersByTimeAsync(30 + 200 + 70)
    await opening
    expect(serving.row.firstTokenMs).toBe(300)
    expect(serving.row.backoffMs).toBe(200)
    expect(serving.row.attempts).toMatchObject([{ startMs: 25 }, { startMs: 255 }])
  })

  test('is unknown if there was none', async () => {
    const serving = serve([upstreamNamed('a', [fail(new Failure('rejected', 'No.'))])])
    await expect(serving.reply(aCall())).rejects.toMatchObject({ kind: 'rejected' })
    expect(serving.row).toMatchObject({ firstTokenMs: undefined, deployment: undefined, usage: undefined })
  })
})

describe('the deadline', () => {
  test.for([
    ['of the gateway', 800, undefined, 800],
    ['of the caller', 600_000, 300, 300],
    ['of the gateway, when it is nearer than the caller’s', 300, 800, 300],
  ] as const)('%s counts from the start of the call', async ([, deadlineMs, ownMs, expectedMs]) => {
    const upstream = upstreamNamed('a', [silence])
    const { reply, caller } = serve([upstream], { deadlineMs })
    await vi.advanceTimersByTimeAsync(100)
    const failing = expect(reply(aCall({ deadlineMs: ownMs }))).rejects.toMatchObject({ kind: 'timeout' })
    await vi.advanceTimersByTimeAsync(expectedMs - 101)
    expect(upstream.calls[0]?.attempt.signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(upstream.calls[0]?.attempt.signal.aborted).toBe(true)
    await failing
    await expectNothingLeft(caller.signal, upstream)
  })
})

describe('a call that cannot be planned is sent nowhere', () => {
  test('for its model', async () => {
    const upstream = upstreamNamed('a', [silence])
    const { reply, row } = serve([upstream])
    await expect(reply(aCall({ model: 'other' }))).rejects.toMatchObject({ kind: 'model_not_found' })
    expect(upstream.calls).toEqual([])
    expect(row).toMatchObject({ model: 'other', kind: 'text', attempts: [] })
  })

  test('for its credential', async () => {
    const upstream = scriptedUpstream([[silence]], {
      admits: (credential) => credential === 'pk_1',
      callerKey: 'pk_…',
    })
    const { stream } = serve([upstream])
    await expect(stream(aCall({ stream: true }))).rejects.toMatchObject({ kind: 'unauthorized' })
    expect(upstream.calls).toEqual([])
  })
})

describe('some upstreams take a call whole, others one choice at a time', () => {
  const whole = (name: string, ...scripts: readonly [Script, ...Script[]]) =>
    scriptedUpstream(scripts, { name, retry: { retries: 0, delayMs: 1 } })
  const single = (name: string, ...scripts: readonly [Script, ...Script[]]) =>
    scriptedUpstream(scripts, {
      name,
      oneChoice: { text: true, chat: true },
      retry: { retries: 0, delayMs: 1 },
    })
  const two = aCall({ body: { prompt: 'Hi.', n: 2 } })
  const both = {
    ...textChunk(''),
    choices: [0, 1].map((index) => ({ index, text: `${index}`, finish_reason: 'stop' })),
  }
  const one = bursts(textChunk('one', 'stop'))

  test('the first that takes it whole gets one request for all of it', async () => {
    const upstream = whole('whole', bursts(both))
    const { reply, row } = serve([upstream])
    expect((await reply(two)).chunk.text).toBe(JSON.stringify(both))
    expect(upstream.calls.map(({ call }) => call.body)).toEqual([two.body])
    expect(row.parts).toBe(1)
  })

  test('another that takes it whole is the fallback, before one that needs it split', async () => {
    const [first, second, third] = [
      whole('first', [busy]),
      single('second', one),
      whole('third', bursts(both)),
    ]
    const { reply, row } = serve([first, second, third])
    expect((await reply(two)).chunk.value.choices.length).toBe(2)
    expect([first, second, third].map(({ calls }) => calls.length)).toEqual([1, 0, 1])
    expect(row.parts).toBe(1)
  })

  test('if none that takes it whole is left, it is split', async () => {
    const [first, second] = [whole('first', [busy]), single('second', one)]
    const { reply, row } = serve([first, second])
    expect(textOf([(await reply(two)).chunk])).toBe('oneone')
    expect([first, second].map(({ calls }) => calls.length)).toEqual([1, 2])
    expect(row).toMatchObject({ parts: 2, provider: 'second' })
  })

  test('but not after a failure that another deployment cannot avoid', async () => {
    const refused = new Failure('rejected', 'No.')
    const [first, second] = [whole('first', [fail(refused)]), single('second', one)]
    await expect(serve([first, second]).reply(two)).rejects.toMatchObject({ kind: 'rejected' })
    expect(second.calls).toEqual([])
  })

  test('splitting is decided per kind', async () => {
    const oneChoice = { text: true, chat: false }
    const twice = { ...chatReply({ content: 'Hi.' }), choices: [0, 1].map(hiAt) }
    const upstream = scriptedUpstream([bursts(twice), one], { oneChoice })
    const { reply, row } = serve([upstream])
    const asked = { messages: [{ role: 'user', content: 'Hi.' }], n: 2 }
    expect((await reply(aCall({ kind: 'chat', body: asked }))).chunk.value.choices.length).toBe(2)
    expect(row.parts).toBe(1)
    await reply(two)
    expect(upstream.calls.length).toBe(3)
    expect(row.parts).toBe(2)
  })

  test('if the first takes one at a time, it is split, and each part may go to any deployment', async () => {
    const [first, second] = [single('first', [busy]), whole('second', one)]
    const { reply, row } = serve([first, second])
    expect(textOf([(await reply(two)).chunk])).toBe('oneone')
    expect([first, second].map(({ calls }) => calls.length)).toEqual([2, 2])
    expect(row.parts).toBe(2)
  })

  test('a call of one prompt and one choice goes to either unchanged', async () => {
    const call = aCall({ source: '{"model":"some-model"}' })
    const [first, second] = [whole('first', [busy]), single('second', one)]
    const { reply, row } = serve([first, second])
    expect(textOf([(await reply(call)).chunk])).toBe('one')
    expect(second.calls[0]?.call).toBe(call)
    expect(row.parts).toBe(1)
  })

  test('a single prompt in a list is unwrapped for upstreams with one prompt per request', async () => {
    const upstream = single('single', one)
    const { reply, row } = serve([upstream])
    await reply(aCall({ body: { prompt: ['Hi.'] } }))
    expect(upstream.calls[0]?.call.body).toEqual({ prompt: 'Hi.' })
    expect(row.parts).toBe(1)
  })
})

function hiAt(index: number) {
  return { index, message: { role: 'assistant', content: 'Hi.' }, finish_reason: 'stop' }
}

test('models and their owners are those of the routes', () => {
  const { gateway } = serve([scriptedUpstream([[]], { name: 'a', knownModels: ['some-one', 'other'] })])
  expect(gateway.models()).toEqual([{ id: 'some-one', ownedBy: 'a' }])
  expect(gateway.ownerOf('some-thing')).toBe('a')
  expect(gateway.ownerOf('other')).toBeUndefined()
})
