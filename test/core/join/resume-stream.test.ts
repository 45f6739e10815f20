import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Call, Delta } from '../../../src/core/model/call.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import type { Price } from '../../../src/core/model/price.ts'
import { upstreamNamed } from '../../harness/core/attempt-walk.ts'
import { type Serving, serve } from '../../harness/core/core-gateway.ts'
import {
  aCall,
  bursts,
  chatChunk,
  fail,
  readAll,
  type Script,
  type ScriptedUpstream,
  scriptedUpstream,
  silence,
  textChunk,
  usageChunk,
} from '../../harness/scripted-upstream.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const cut = fail(new Failure('interrupted', 'The upstream broke off before its answer was complete.'))
const aText = aCall({ stream: true, body: { model: 'some-model', prompt: 'Say', max_tokens: 100, seed: 7 } })
const aChat = aCall({
  kind: 'chat',
  stream: true,
  body: { model: 'some-model', messages: [{ role: 'user', content: 'Hi.' }], max_completion_tokens: 50 },
})

describe('a text completion that breaks off', () => {
  test('continues elsewhere after its last token, as one stream', async () => {
    const a = upstreamNamed('a', [...bursts(textChunk('Hello'), textChunk(' wor')), cut])
    const b = upstreamNamed(
      'b',
      bursts({ ...textChunk('ld'), id: 'up-2', created: 5 }, textChunk('!', 'stop')),
    )
    const serving = serve([a, b])
    const deltas = await told(serving, aText)
    expect(words(deltas)).toBe('Hello world!')
    expect(
      new Set(deltas.map(({ value: chunk }) => `${chunk.id} ${chunk.created} ${chunk.model}`)).size,
    ).toBe(1)
    expect(b.calls[0]?.call.kind).toBe('text')
    // Estimated from its characters: nine of a hundred tokens are used.
    const body = { model: 'some-model', prompt: 'SayHello wor', max_tokens: 91, seed: 7 }
    expect(b.calls[0]?.call.body.value).toMatchObject(body)
  })

  test('is recorded with both attempts, and both are paid for', async () => {
    const a = upstreamNamed('a', [...bursts(textChunk('Hello')), cut])
    const b = upstreamNamed('b', bursts(textChunk(' you', 'stop'), usageChunk(9, 4)))
    const serving = serve([a, b], {}, { a: perToken(2, 3), b: perToken(5, 7) })
    const stream = await serving.stream(aText)
    await readAll(stream.bursts)
    // The first reported no usage: "Say" and "Hello" are counted here.
    expect(await stream.usage()).toEqual({ prompt_tokens: 3 + 9, completion_tokens: 5 + 4, total_tokens: 21 })
    serving.record[Symbol.dispose]()
    expect(serving.row.attempts).toMatchObject([
      { outcome: 'interrupted', isDelivered: true, isResumed: false, isEstimated: true, costNanoUsd: 21 },
      { outcome: 'ok', isDelivered: true, isResumed: true, isEstimated: false, costNanoUsd: 73 },
    ])
    expect(serving.row).toMatchObject({ costNanoUsd: 94, usageEstimated: true, costEstimated: true })
    expect([...serving.row.flags]).toEqual(['continued'])
    // At the first deployment without the break: 3 prompt tokens, and 5 + 4 of the answer.
    expect(serving.row.baselineNanoUsd).toBe(3 * 2 + 9 * 3)
  })

  test('continues as often as deployments and attempts allow', async () => {
    const broken = (text: string): Script => [...bursts(textChunk(text)), cut]
    const a = upstreamNamed('a', broken('one '))
    const b = upstreamNamed('b', broken('two '))
    const c = upstreamNamed('c', bursts(textChunk('three', 'stop')))
    expect(words(await told(serve([a, b, c]), aText))).toBe('one two three')
    expect(c.calls[0]?.call.body.value['prompt']).toBe('Sayone two ')
  })

  test('tries the next deployment if one cannot begin', async () => {
    const a = upstreamNamed('a', [...bursts(textChunk('one ')), cut])
    const b = upstreamNamed('b', [fail(new Failure('overloaded', 'Busy.'))])
    const c = upstreamNamed('c', bursts(textChunk('two', 'stop')))
    expect(words(await told(serve([a, b, c]), aText))).toBe('one two')
  })

  test('ends with `length` if the upstream’s usage leaves no tokens', async () => {
    const all = {
      ...textChunk('one two'),
      usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
    }
    const a = upstreamNamed('a', [...bursts(all), cut])
    const b = upstreamNamed('b', bursts(textChunk(' three', 'stop')))
    const serving = serve([a, b])
    const call = aCall({ stream: true, body: { model: 'some-model', prompt: 'Say', max_tokens: 4 } })
    const deltas = await told(serving, call)
    expect(words(deltas)).toBe('one two')
    expect(deltas.at(-1)?.value).toMatchObject({
      id: deltas[0]?.value.id,
      choices: [{ finish_reason: 'length' }],
    })
    expect(b.calls).toEqual([])
  })

  test('that stalls continues elsewhere too', async () => {
    const a = upstreamNamed('a', [...bursts(textChunk('one ')), silence])
    const b = upstreamNamed('b', bursts(textChunk('two', 'stop')))
    const telling = told(serve([a, b]), aText)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(words(await telling)).toBe('one two')
  })
})

describe('a chat that breaks off', () => {
  const first: Script = [
    ...bursts(chatChunk({ role: 'assistant', content: 'Hel' }), chatChunk({ content: 'lo' })),
    cut,
  ]

  test('continues after its own text at an upstream that supports prefills; the role is sent once', async () => {
    const a = upstreamNamed('a', first)
    const b = scriptedUpstream(
      [
        bursts(
          chatChunk({ role: 'assistant', content: '' }),
          chatChunk({ reasoning_content: 'Hm.' }),
          chatChunk({ role: 'assistant', content: ' you' }),
          chatChunk({}, 'stop'),
        ),
      ],
      { name: 'b', takesPrefix: true },
    )
    const deltas = await told(serve([a, b]), aChat)
    expect(words(deltas)).toBe('Hello you')
    expect(
      deltas.flatMap(({ value: chunk }) => chunk.choices.flatMap(({ delta }) => delta?.role ?? [])),
    ).toEqual(['assistant'])
    expect(JSON.stringify(deltas)).not.toContain('Hm.')
    expect(deltas.at(-1)?.value.choices[0]?.finish_reason).toBe('stop')
    expect(b.calls[0]?.call).toMatchObject({
      continues: true,
      body: {
        messages: [
          { role: 'user', content: 'Hi.' },
          { role: 'assistant', content: 'Hello' },
        ],
        max_completion_tokens: 45,
      },
    })
  })

  test('continues the caller’s own prefill', async () => {
    const a = upstreamNamed('a', first)
    const b = scriptedUpstream([bursts(chatChunk({ content: '!' }, 'stop'))], {
      name: 'b',
      takesPrefix: true,
    })
    const messages = [
      { role: 'user', content: 'Hi.' },
      { role: 'assistant', content: 'Sure: ', name: 'x' },
    ]
    await told(serve([a, b]), chatWith({ messages }))
    expect(b.calls[0]?.call.body.value['messages']).toEqual([
      messages[0],
      { role: 'assistant', content: 'Sure: Hello', name: 'x' },
    ])
  })

  test('continues as a text with the family’s template at an upstream without prefills', async () => {
    const a = upstreamNamed('a', first)
    const b = upstreamNamed('b', bursts(textChunk(' you'), textChunk('', 'length')))
    const serving = serve([a, b])
    const model = 'some-llama-3-8b'
    const call: Call = { ...aChat, model, body: aChat.body.with({ model, stop: 'END' }) }
    const deltas = await told(serving, call)
    expect(words(deltas)).toBe('Hello you')
    expect(new Set(deltas.map(({ value: chunk }) => chunk.object))).toEqual(
      new Set(['chat.completion.chunk']),
    )
    const asked = b.calls[0]?.call
    expect(asked?.kind).toBe('text')
    expect(asked?.body.value['prompt']).toMatch(/assistant<\|end_header_id\|>\n\nHello$/)
    expect(asked?.body).toMatchObject({ max_tokens: 45, stop: ['END', '<|eot_id|>', '<|eom_id|>'] })
    expect(asked?.body).not.toHaveProperty('messages')
  })
})

describe('the original failure is reported', () => {
  const toolStart: JsonObject = {
    tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f' } }],
  }
  const spoken = chatChunk({ role: 'assistant', content: 'Hel' })
  const cases: readonly (readonly [string, Call, Script])[] = [
    ['without an upstream that continues', aChat, [...bursts(spoken), cut]],
    ['in the middle of a call to a tool', aChat, [...bursts(spoken, chatChunk(toolStart)), cut]],
    ['before the answer, in its reasoning', aChat, [...bursts(chatChunk({ reasoning_content: 'Hm' })), cut]],
    [
      'for an answer by a schema',
      chatWith({ response_format: { type: 'json_object' } }),
      [...bursts(spoken), cut],
    ],
    ['for a tool that must be called', chatWith({ tool_choice: 'required' }), [...bursts(spoken), cut]],
    ['with logprobs', chatWith({ logprobs: true }), [...bursts(spoken), cut]],
    ['with several choices', chatWith({ n: 2 }), [...bursts(spoken), cut]],
    ['with an echo', textWith({ echo: true }), [...bursts(textChunk('Say')), cut]],
    ['with a suffix', textWith({ suffix: 'x' }), [...bursts(textChunk('a')), cut]],
  ]
  test.for(cases)('%s', async ([, call, script]) => {
    const b = upstreamNamed('b', bursts(textChunk('no', 'stop')))
    const serving = serve([upstreamNamed('a', script), b])
    const stream = await serving.stream(call)
    await expect(readAll(stream.bursts)).rejects.toThrow('broke off')
    expect(b.calls).toEqual([])
  })

  test('when the call has no time left', async () => {
    const b = upstreamNamed('b', bursts(textChunk('no', 'stop')))
    const serving = serve([upstreamNamed('a', [...bursts(textChunk('a')), silence]), b], { deadlineMs: 500 })
    const stream = await serving.stream(aText)
    const told = expect(readAll(stream.bursts)).rejects.toMatchObject({ kind: 'timeout' })
    await vi.advanceTimersByTimeAsync(500)
    await told
    expect(b.calls).toEqual([])
  })

  test('when it is switched off', async () => {
    const { b, serving } = broken({ continueStreams: false })
    const stream = await serving.stream(aText)
    await expect(readAll(stream.bursts)).rejects.toMatchObject({ kind: 'interrupted' })
    expect(b.calls).toEqual([])
  })

  test('when all others fail, with the first failure', async () => {
    const { b, serving } = broken({}, [fail(new Failure('rate_limited', 'Too much.'))])
    const stream = await serving.stream(aText)
    await expect(readAll(stream.bursts)).rejects.toMatchObject({ kind: 'interrupted' })
    expect(b.calls).not.toEqual([])
  })

  test('when the caller leaves', async () => {
    const { b, serving } = broken({}, [silence])
    const stream = await serving.stream(aText)
    const reading = readAll(stream.bursts)
    const gone = expect(reading).rejects.toBe(serving.caller.reason)
    await vi.advanceTimersByTimeAsync(0)
    expect(b.calls).toHaveLength(1)
    serving.caller.leave()
    await gone
    expect(b.calls[0]?.finalised).toBe(true)
  })
})

function broken(
  limits: object,
  script: Script = bursts(textChunk('b', 'stop')),
): { b: ScriptedUpstream; serving: Serving } {
  const b = upstreamNamed('b', script)
  return { b, serving: serve([upstreamNamed('a', [...bursts(textChunk('a')), cut]), b], limits) }
}

function chatWith(fields: JsonObject): Call {
  return { ...aChat, body: aChat.body.with(fields) }
}

function textWith(fields: JsonObject): Call {
  return { ...aText, body: aText.body.with(fields) }
}

/** Nano-USD per token. */
function perToken(input: number, output: number): Price {
  return {
    inputNanoUsdPerMillion: input * 1_000_000,
    cachedInputNanoUsdPerMillion: undefined,
    outputNanoUsdPerMillion: output * 1_000_000,
    nanoUsdPerSecond: undefined,
  }
}

async function told(serving: Serving, call: Call): Promise<readonly Delta[]> {
  const stream = await serving.stream(call)
  const deltas = await readAll(stream.bursts)
  await stream.usage()
  return deltas
}

function words(deltas: readonly Delta[]): string {
  const choices = deltas.flatMap(({ value: chunk }) => chunk.choices)
  return choices.map(({ text, delta }) => text ?? delta?.content ?? '').join('')
}
