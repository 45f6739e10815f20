import { APIError, InternalServerError } from 'openai'
import type { ChatCompletionChunk } from 'openai/resources/chat/completions'
import type { Completion } from 'openai/resources/completions'
import type { Stream } from 'openai/streaming'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient, type Stack, startAlone, startStack } from '../stack.ts'

/** Two that can stream: one from the whole answer of an upstream that cannot, one word by word. */
const stacks = [
  { name: 'before Pandotate', start: startStack },
  { name: 'with its own simulator', start: startAlone },
]

describe.for(stacks)('a gateway $name', ({ start }) => {
  let stack: Stack
  beforeAll(async () => {
    stack = await start()
  })
  afterAll(() => stack[Symbol.asyncDispose]())

  test('streams a completion', async () => {
    const prompt = 'one two three'
    const stream = await createClient(stack).completions.create({ model: 'sim-echo', prompt, stream: true })
    const chunks = await collect(stream)
    expect(textOf(chunks, 0)).toBe(prompt)
    expect(chunks.every(({ usage }) => usage == null)).toBe(true)
    expect(finishReasonsOf(chunks)).toEqual(['stop'])
  })

  test('streams a chat', async () => {
    const messages = [{ role: 'user' as const, content: 'one two three' }]
    const stream = await createClient(stack).chat.completions.create({
      model: 'sim-echo',
      messages,
      stream: true,
    })
    const chunks = await collect(stream)
    expect(contentOf(chunks, 0)).toBe('one two three')
    expect(finishReasonsOf(chunks)).toEqual(['stop'])
  })

  test('tells the usage of a completion in the last chunk, when asked', async () => {
    const stream = await createClient(stack).completions.create({
      model: 'sim-echo',
      prompt: ['one two', 'three'],
      n: 2,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await collect(stream)
    const last = chunks.pop()
    expect(last).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 3, completion_tokens: 6, total_tokens: 9 },
    })
    expect(chunks.every(({ usage }) => usage === null)).toBe(true)
  })

  test('tells the usage of a chat in the last chunk, when asked', async () => {
    const stream = await createClient(stack).chat.completions.create({
      model: 'sim-echo',
      messages: [{ role: 'user', content: 'one two three' }],
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
    })
    const last = (await collect(stream)).pop()
    expect(last?.choices).toEqual([])
    expect(last?.usage?.completion_tokens).toBe(3)
  })

  test('streams every choice of every prompt, each under its own index', async () => {
    const prompt = ['alpha beta', 'gamma', 'delta epsilon zeta']
    const stream = await createClient(stack).completions.create({
      model: 'sim-echo-drip-2',
      prompt,
      n: 2,
      stream: true,
    })
    const chunks = await collect(stream)
    const texts = Array.from({ length: 6 }, (_, index) => textOf(chunks, index))
    expect(texts).toEqual(prompt.flatMap((text) => [text, text]))
    expect(finishReasonsOf(chunks)).toHaveLength(6)
  })

  test('echoes the prompt into the stream, and ends it before a stop string', async () => {
    const stream = await createClient(stack).completions.create({
      model: 'sim-long-3',
      prompt: 'Say: ',
      echo: true,
      stop: ' lantern',
      stream: true,
    })
    expect(textOf(await collect(stream), 0)).toBe('Say: river stone')
  })

  test('suits the client’s own accumulator', async () => {
    const stream = createClient(stack).chat.completions.stream({
      model: 'sim-echo',
      messages: [{ role: 'user', content: 'piece by piece' }],
      stream_options: { include_usage: true },
    })
    const spoken: string[] = []
    stream.on('content', (delta) => spoken.push(delta))
    const chat = await stream.finalChatCompletion()
    expect(spoken.join('')).toBe('piece by piece')
    expect(chat.choices[0]?.message).toMatchObject({ role: 'assistant', content: 'piece by piece' })
    expect((await stream.totalUsage()).completion_tokens).toBe(3)
  })

  test.for(['sim-cut-5', 'sim-cut-0', 'sim-long-40-cut-39'])(
    'never ends a stream of %s quietly',
    async (model) => {
      await expect(drain(stack, model)).rejects.toThrow(APIError)
    },
  )

  test('says with a status what went wrong before the first word', async () => {
    const thrown = await drain(stack, 'sim-status-503').catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(InternalServerError)
    expect(thrown).toMatchObject({ status: 503, code: 'server_is_overloaded' })
  })
})

describe('a stream that breaks after its first word', () => {
  const file = `
providers:
  sim: { type: simulator }
models:
  '*':
    deployments: [{ provider: sim, clocks: { idleMs: 150 } }]
`
  let stack: Stack
  beforeAll(async () => {
    stack = await startAlone({ file })
  })
  afterAll(() => stack[Symbol.asyncDispose]())

  test.for([
    ['cut by the upstream', 'sim-cut-5', 'upstream_stream_interrupted'],
    ['left hanging by the upstream', 'sim-stall-5', 'upstream_timeout'],
  ] as const)('is an error with a code when it is %s', async ([, model, code]) => {
    const stream = await createClient(stack).completions.create({ model, prompt: 'go', stream: true })
    const chunks: Completion[] = []
    const reading = collect(stream, chunks)
    const thrown = await reading.catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(APIError)
    expect(thrown).toMatchObject({ code, type: 'server_error' })
    expect(textOf(chunks, 0).split(' ')).toHaveLength(5)
    const { outcome, status, failure } = await stack.gateway.record(stack.witness.seen.at(-1)?.requestId)
    expect({ outcome, status, code: failure?.code }).toEqual({ outcome: 'failed', status: 200, code })
  })

  test('is not answered for by another try', async () => {
    const stream = await createClient(stack).completions.create({
      model: 'sim-cut-2',
      prompt: 'go',
      stream: true,
    })
    await expect(collect(stream)).rejects.toThrow(APIError)
    const { attempts } = await stack.gateway.record(stack.witness.seen.at(-1)?.requestId)
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['interrupted'])
  })
})

async function collect<Chunk>(stream: Stream<Chunk>, chunks: Chunk[] = []): Promise<Chunk[]> {
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

async function drain(stack: Stack, model: string): Promise<void> {
  await collect(await createClient(stack).completions.create({ model, prompt: 'go', stream: true }))
}

function textOf(chunks: readonly Completion[], index: number): string {
  const choices = chunks.flatMap(({ choices }) => choices)
  return choices.map((choice) => (choice.index === index ? choice.text : '')).join('')
}

function contentOf(chunks: readonly ChatCompletionChunk[], index: number): string {
  const choices = chunks.flatMap(({ choices }) => choices)
  return choices.map((choice) => (choice.index === index ? (choice.delta.content ?? '') : '')).join('')
}

function finishReasonsOf(chunks: readonly (Completion | ChatCompletionChunk)[]): readonly unknown[] {
  const choices = chunks.flatMap(({ choices }): readonly { finish_reason: unknown }[] => choices)
  return choices.map(({ finish_reason: reason }) => reason).filter((reason) => reason !== null)
}
