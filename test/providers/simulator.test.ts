import { describe, expect, test, vi } from 'vitest'
import { JsonText } from '../../src/core/model/json/json-text.ts'
import { simulator } from '../../src/providers/simulator.ts'
import { behaviours, knownModels } from '../../src/simulator/script/behaviours.ts'
import { startAttempt } from '../harness/core/attempt.ts'
import { burstsOf, call, create, type Told, tell, textIn } from '../harness/core/simulated-call.ts'
import { sentBursts } from '../harness/sent.ts'

describe('every behaviour, streamed or not, in a chat or a completion', () => {
  const usage = { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 }
  const cases: [string, string, Partial<Told>][] = [
    ['echo', 'sim-echo', { text: 'one two', reason: 'stop', usage }],
    ['long', 'sim-long-3', { text: 'river stone lantern', reason: 'stop' }],
    [
      'length',
      'sim-length',
      { reason: 'length', usage: { ...usage, completion_tokens: 16, total_tokens: 18 } },
    ],
    ['slow', 'sim-slow-1-echo', { text: 'one two', reason: 'stop' }],
    ['drip', 'sim-drip-1-echo', { text: 'one two', reason: 'stop' }],
    ['status', 'sim-status-500', { failure: { kind: 'upstream_error', upstreamStatus: 500 } }],
    [
      'ratelimit',
      'sim-ratelimit-7',
      { failure: { kind: 'rate_limited', upstreamStatus: 429, retryAfterMs: 7000 } },
    ],
    ['flaky', 'sim-flaky-1', { failure: { kind: 'overloaded', upstreamStatus: 503 } }],
    ['cut', 'sim-cut-1-echo', { text: 'one', failure: { kind: 'interrupted' } }],
    ['cut', 'sim-cut-0-echo', { text: '', failure: { kind: 'interrupted' } }],
    ['cut', 'sim-cut-9-echo', { text: 'one two', failure: { kind: 'interrupted' } }],
    ['reset', 'sim-reset', { failure: { kind: 'unreachable', upstreamStatus: undefined } }],
    ['badjson', 'sim-badjson', { failure: { kind: 'invalid_response', upstreamStatus: 200 } }],
    ['html', 'sim-html', { failure: { kind: 'invalid_response', upstreamStatus: 200 } }],
    ['empty', 'sim-empty', { failure: { kind: 'invalid_response', upstreamStatus: 200 } }],
    ['nousage', 'sim-nousage-echo', { text: 'one two', reason: 'stop', usage: undefined }],
    [
      'usage-weird',
      'sim-usage-weird-echo',
      { text: 'one two', usage: { prompt_tokens: -7, completion_tokens: 1e21, total_tokens: Number.NaN } },
    ],
    ['extra', 'sim-extra-echo', { text: 'one two', extra: { region: 'eu-sim-1', queue_ms: 12 } }],
    ['ragged', 'sim-ragged-echo', { text: 'one two' }],
  ]
  const ofChatsAlone = ['reasoning', 'tools']
  const unending = ['stall']

  for (const kind of ['text', 'chat'] as const) {
    for (const stream of [true, false]) {
      test.for(cases)(`%s: %s (${kind}, ${stream ? 'streamed' : 'JSON'})`, async ([, model, expected]) => {
        const told = await tell(create(), call({ model, kind, stream }))
        expect(told).toMatchObject({ failure: undefined, ...expected })
        if (expected.failure === undefined) expect(told.reply?.choices).toHaveLength(1)
      })
    }
  }

  test('is in the table', () => {
    const tried = new Set([...cases.map(([behaviour]) => behaviour), ...ofChatsAlone, ...unending])
    expect([...tried].sort()).toEqual(behaviours.map(({ name }) => name).sort())
  })

  test('says the same every time', async () => {
    const unlike = /slow|drip|stall/
    for (const model of knownModels.filter((name) => !unlike.test(name))) {
      const asked = call({ model, kind: 'chat', stream: true })
      expect(await tell(create(), asked)).toEqual(await tell(create(), asked))
    }
  })
})

describe('what a status means', () => {
  test.for([
    [400, 'rejected'],
    [401, 'upstream_auth'],
    [402, 'upstream_auth'],
    [403, 'upstream_auth'],
    [404, 'model_not_found'],
    [408, 'upstream_error'],
    [418, 'rejected'],
    [422, 'rejected'],
    [425, 'upstream_error'],
    [429, 'rate_limited'],
    [500, 'upstream_error'],
    [502, 'upstream_error'],
    [503, 'overloaded'],
    [504, 'upstream_error'],
    [529, 'overloaded'],
  ] as const)('%s is %s', async ([status, kind]) => {
    const attempt = startAttempt(`sim-status-${status}`)
    const { failure } = await tell(create(), call({ model: `sim-status-${status}` }), attempt)
    expect(failure).toMatchObject({ kind, upstreamStatus: status, provider: 'sim' })
    expect(attempt.notes).toMatchObject({ upstreamStatus: status, headersAt: 1234 })
  })

  test('an unknown behaviour is a model that is not found, and the known ones are listed', async () => {
    const { failure } = await tell(create(), call({ model: 'sim-foo' }))
    expect(failure).toMatchObject({ kind: 'model_not_found', param: 'model', code: 'model_not_found' })
    expect(failure?.message).toMatch(/slow-MS, .*, tools\.$/)
  })
})

describe('the chunks', () => {
  test('of a streamed chat are a role, the words, the end and the usage', async () => {
    const bursts = await burstsOf(create(), call({ model: 'sim-echo', kind: 'chat', stream: true }))
    const envelope = {
      id: `chatcmpl-sim-req_${'0'.repeat(32)}`,
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model: 'sim-echo',
    }
    const choice = { index: 0, logprobs: null, finish_reason: null }
    const chunks = [
      { choices: [{ ...choice, delta: { role: 'assistant', content: '' } }] },
      { choices: [{ ...choice, delta: { content: 'one' } }] },
      { choices: [{ ...choice, delta: { content: ' two' } }] },
      { choices: [{ ...choice, delta: {}, finish_reason: 'stop' }] },
      { choices: [], usage: { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 } },
    ].map((chunk) => JsonText.of({ ...envelope, ...chunk }))
    expect(bursts).toEqual([chunks])
  })

  test('of a streamed completion are the words, the end and the usage', async () => {
    const bursts = await burstsOf(create(), call({ model: 'sim-echo', stream: true }))
    const choice = { index: 0, logprobs: null, finish_reason: null }
    expect(bursts.flat().map(({ value: chunk }) => chunk)).toEqual(
      [
        { choices: [{ ...choice, text: 'one' }] },
        { choices: [{ ...choice, text: ' two' }] },
        { choices: [{ ...choice, text: '', finish_reason: 'stop' }] },
        { choices: [], usage: { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 } },
      ].map((chunk) => expect.objectContaining({ object: 'text_completion', ...chunk })),
    )
  })

  test('of an answer that nobody watches hold as many words as come together', async () => {
    const texts = async (model: string) =>
      (await burstsOf(create(), call({ model }))).flat().map(({ value: chunk }) => textIn(chunk))
    expect(await texts('sim-echo')).toEqual(['one two', '', ''])
    expect(await texts('sim-drip-1-echo')).toEqual(['one', ' two', '', ''])
  })

  test('of a long stream come in several bursts, those of a dripping one word by word', async () => {
    const sizes = async (model: string) =>
      (await burstsOf(create(), call({ model, stream: true }))).map((burst) => burst.length)
    expect(await sizes('sim-long-70')).toEqual([32, 32, 8])
    expect(await sizes('sim-drip-1-long-3')).toEqual([1, 1, 3])
  })

  test('name the model as the upstream is asked for it', async () => {
    const attempt = startAttempt('sim-echo')
    const { reply } = await tell(create(), call({ model: 'alias' }), attempt)
    expect(reply).toMatchObject({ model: 'sim-echo', choices: [{ text: 'one two' }] })
  })

  test('begin with the prompt when a completion asks for its echo', async () => {
    for (const stream of [true, false]) {
      const asked = call({ model: 'sim-long-1', stream, body: { prompt: 'one two\n', echo: true } })
      expect(await tell(create(), asked)).toMatchObject({
        text: 'one two\nriver',
        usage: { completion_tokens: 1 },
      })
    }
  })
})

describe('a chat', () => {
  test('that reasons thinks before it speaks', async () => {
    for (const stream of [true, false]) {
      const asked = call({ model: 'sim-reasoning-echo', kind: 'chat', stream })
      const { reply } = await tell(create(), asked)
      expect(reply?.choices[0]?.message).toEqual({
        role: 'assistant',
        content: 'one two',
        reasoning_content: expect.stringContaining('simulated'),
      })
    }
  })

  test('with tools calls the first of them, with arguments that fit', async () => {
    const properties = { city: { type: 'string' }, days: { type: 'integer' } }
    const tools = [{ type: 'function', function: { name: 'weather', parameters: { properties } } }]
    for (const stream of [true, false]) {
      const body = { messages: [{ role: 'user', content: 'rain?' }], tools }
      const { reply } = await tell(create(), call({ model: 'sim-tools', kind: 'chat', stream, body }))
      expect(reply?.choices[0]).toMatchObject({
        finish_reason: 'tool_calls',
        message: {
          content: null,
          tool_calls: [
            {
              id: 'call_simulated',
              type: 'function',
              function: { name: 'weather', arguments: '{"city":"x","days":1}' },
            },
          ],
        },
      })
    }
  })

  test('without tools is answered in words', async () => {
    const { text, reason } = await tell(create(), call({ model: 'sim-tools', kind: 'chat' }))
    expect(text).toContain('simulator')
    expect(reason).toBe('stop')
  })
})

describe('a flaky model', () => {
  test('fails, answers, and fails again', async () => {
    const upstream = create()
    const kinds: (string | undefined)[] = []
    for (let at = 0; at < 4; at++) {
      kinds.push((await tell(upstream, call({ model: 'sim-flaky-1' }))).failure?.kind)
    }
    expect(kinds).toEqual(['overloaded', undefined, 'overloaded', undefined])
  })

  test('is another in another upstream', async () => {
    expect((await tell(create(), call({ model: 'sim-flaky-1' }))).failure?.kind).toBe('overloaded')
    expect((await tell(create(), call({ model: 'sim-flaky-1' }))).failure?.kind).toBe('overloaded')
  })
})

describe('waiting', () => {
  test.for([
    ['sim-slow-2000', 0, 1],
    ['sim-drip-2000', 1, 1],
    ['sim-stall-0', 0, 0],
    ['sim-stall-1-echo', 1, 0],
    ['sim-stall-9-echo', 1, 0],
  ] as const)('with %s ends with the signal, after %s bursts', async ([model, before, timers]) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const attempt = startAttempt(model)
      const iterator = sentBursts(create().send(call({ model, stream: true }), attempt))
      for (let at = 0; at < before; at++) expect((await iterator.next()).done).toBe(false)
      expect(attempt.notes.headersAt).toBe(before === 0 ? undefined : 1234)
      const next = iterator.next()
      expect(vi.getTimerCount()).toBe(timers)
      const reason = new Error('the caller left')
      attempt.controller.abort(reason)
      await expect(next).rejects.toBe(reason)
      expect(vi.getTimerCount()).toBe(0)
      expect((await iterator.next()).done).toBe(true)
    } finally {
      vi.useRealTimers()
    }
  })

  test('takes as long as the name says', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const told = vi.fn()
      const telling = tell(create(), call({ model: 'sim-slow-2000' })).then(told)
      await vi.advanceTimersByTimeAsync(1999)
      expect(told).not.toHaveBeenCalled()
      await vi.advanceTimersByTimeAsync(1)
      await telling
      expect(told).toHaveBeenCalledOnce()
    } finally {
      vi.useRealTimers()
    }
  })

  test('never begins when the signal has aborted', async () => {
    const reason = new Error('too late')
    const attempt = startAttempt('sim-echo')
    attempt.controller.abort(reason)
    const bursts = sentBursts(create().send(call({ model: 'sim-echo' }), attempt))
    await expect(Array.fromAsync(bursts)).rejects.toBe(reason)
  })

  test('is not needed for an abort between two bursts to be heard', async () => {
    const attempt = startAttempt('sim-long-100')
    const bursts = sentBursts(create().send(call({ model: 'sim-long-100', stream: true }), attempt))
    const iterator = bursts[Symbol.asyncIterator]()
    await iterator.next()
    const reason = new Error('the caller left')
    attempt.controller.abort(reason)
    await expect(iterator.next()).rejects.toBe(reason)
  })
})

describe('the provider', () => {
  test('has no settings, and refuses any', () => {
    expect(simulator.settings.safeParse({}).success).toBe(true)
    expect(simulator.settings.safeParse({ apiKey: 'x' }).success).toBe(false)
  })

  test('admits anyone, takes one prompt for one choice, and knows a name for each behaviour', async () => {
    const upstream = create()
    expect(upstream).toMatchObject({
      name: 'sim',
      oneChoice: { text: true, chat: true },
      knownModels,
      retry: { retries: 1, delayMs: 200 },
      clocks: { connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 600_000 },
    })
    expect(upstream.admits(undefined)).toBe(true)
    expect(upstream.admits('sk-anything')).toBe(true)
    await expect(upstream.close()).resolves.toBeUndefined()
  })

  test('names what it left unheeded', async () => {
    const attempt = startAttempt('sim-echo')
    await tell(create(), call({ model: 'sim-echo', body: { prompt: 'x', suffix: 'y', user: 'u' } }), attempt)
    expect(attempt.notes.dropped).toEqual(['suffix'])
  })
})
