import { type AIMessageChunk, HumanMessage, SystemMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { ChatOpenAI, OpenAI } from '@langchain/openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { type PandotateStack, type Stack, startAlone, startBefore, startStack } from '../stack.ts'

let pandotate: PandotateStack
let simulator: Stack
beforeAll(async () => {
  const environment = { PANDOTATE_RETRIES: '0' }
  const starting = [startStack({ environment }), startAlone()] as const
  ;[pandotate, simulator] = await Promise.all(starting)
})
afterAll(async () => {
  await pandotate[Symbol.asyncDispose]()
  await simulator[Symbol.asyncDispose]()
})

const both = [
  ['before Pandotate', () => pandotate],
  ['with its own simulator', () => simulator],
] as const

describe.for(both)('LangChain’s completion model at a gateway %s', ([, stackOf]) => {
  const create = (model: string, more: object = {}) =>
    new OpenAI({ model, ...more, ...settingsFor(stackOf()) })

  test('answers one prompt', async () => {
    expect(await create('sim-echo').invoke('just this')).toBe('just this')
  })

  test('answers a batch in its order', async () => {
    const prompts = Array.from({ length: 25 }, (_, at) => `prompt ${at}`)
    expect(await create('sim-echo').batch(prompts)).toEqual(prompts)
  })

  test('gives each prompt of one request its own choices', async () => {
    const result = await create('sim-echo', { n: 2 }).generate(['first', 'second', 'third'])
    const texts = result.generations.map((choices) => choices.map(({ text }) => text))
    expect(texts).toEqual([
      ['first', 'first'],
      ['second', 'second'],
      ['third', 'third'],
    ])
    expect(result.llmOutput?.['tokenUsage']).toMatchObject({
      promptTokens: 3,
      completionTokens: 6,
      totalTokens: 9,
    })
  })

  test('streams', async () => {
    const pieces: string[] = []
    for await (const piece of await create('sim-echo').stream('word by word')) pieces.push(piece)
    expect(pieces.join('')).toBe('word by word')
  })

  test('streams several prompts at once and keeps them apart', async () => {
    const streaming = create('sim-echo', { streaming: true, n: 2 })
    const result = await streaming.generate(['first one', 'second', 'the third'])
    const texts = result.generations.map((choices) => choices.map(({ text }) => text))
    expect(texts).toEqual([
      ['first one', 'first one'],
      ['second', 'second'],
      ['the third', 'the third'],
    ])
    const reasons = result.generations.flat().map(({ generationInfo }) => generationInfo?.['finishReason'])
    expect(reasons).toEqual(Array.from({ length: 6 }, () => 'stop'))
  })

  test('stops where it is told to', async () => {
    expect(await create('sim-echo').invoke('up to here STOP no further', { stop: ['STOP'] })).toBe(
      'up to here ',
    )
  })
})

describe.for(both)('LangChain’s chat model at a gateway %s', ([, stackOf]) => {
  const create = (model: string, more: object = {}) =>
    new ChatOpenAI({ model, ...more, ...settingsFor(stackOf()) })
  const asked = [new SystemMessage('Be brief.'), new HumanMessage('What is this?')]

  test('answers', async () => {
    const message = await create('sim-echo').invoke(asked)
    expect(message.content).toBe('What is this?')
    expect(message.response_metadata['finish_reason']).toBe('stop')
    expect(message).toMatchObject({ usage_metadata: { output_tokens: 3 } })
  })

  test('streams, and counts', async () => {
    const stream = await create('sim-echo').stream(asked)
    let whole: AIMessageChunk | undefined
    for await (const chunk of stream) whole = whole?.concat(chunk) ?? chunk
    expect(whole?.content).toBe('What is this?')
    expect(whole).toMatchObject({ usage_metadata: { output_tokens: 3 } })
  })

  test('answers a batch in its order', async () => {
    const questions = Array.from({ length: 10 }, (_, at) => `question ${at}`)
    const messages = await create('sim-echo').batch(questions)
    expect(messages.map(({ content }) => content)).toEqual(questions)
  })
})

describe('LangChain’s tools', () => {
  const weather = tool(({ city }) => `It rains in ${city}.`, {
    name: 'weather',
    description: 'Says the weather.',
    schema: z.object({ city: z.string() }),
  })

  test.for(['invoke', 'stream'] as const)('are called where the upstream has them, by %s', async (way) => {
    const model = new ChatOpenAI({ model: 'sim-tools', ...settingsFor(simulator) }).bindTools([weather])
    let whole: AIMessageChunk | undefined
    if (way === 'invoke') whole = await model.invoke('And tomorrow?')
    else for await (const chunk of await model.stream('And tomorrow?')) whole = whole?.concat(chunk) ?? chunk
    expect(whole?.tool_calls).toMatchObject([{ name: 'weather', args: { city: 'x' } }])
  })

  test('are refused by name where the upstream has none', async () => {
    const model = new ChatOpenAI({ model: 'sim-tools', ...settingsFor(pandotate) }).bindTools([weather])
    await expect(model.invoke('And tomorrow?')).rejects.toMatchObject({ status: 400, param: 'tools' })
  })
})

describe('LangChain’s errors', () => {
  const ask = (stack: Stack, model: string, more: object = {}) =>
    new ChatOpenAI({ model, ...settingsFor(stack), ...more }).invoke('x')

  test.for([
    ['sim-status-400', { status: 400 }],
    ['sim-status-404', { status: 404, code: 'model_not_found' }],
    ['sim-ratelimit-3', { status: 429, code: 'rate_limit_exceeded' }],
    ['sim-status-500', { status: 502, code: 'upstream_error' }],
    ['sim-cut-3', { status: 502, code: 'upstream_stream_interrupted' }],
  ] as const)('of %s keep what the gateway said', async ([model, error]) => {
    await expect(ask(pandotate, model)).rejects.toMatchObject(error)
  })

  test('of a refused key are its authentication errors', async () => {
    const file = `auth: { keys: ['sk-gateway-0123456789'] }`
    await using guarded = await startBefore(pandotate.pandotateUrl, { file })
    await expect(ask(guarded, 'sim-echo')).rejects.toMatchObject({
      status: 401,
      lc_error_code: 'MODEL_AUTHENTICATION',
    })
  })

  test('that pass are tried again by itself: a limit that says when to come back', async () => {
    const before = pandotate.witness.seen.length
    await expect(ask(pandotate, 'sim-ratelimit-1', { maxRetries: 1 })).rejects.toMatchObject({ status: 429 })
    const statuses = pandotate.witness.seen.slice(before).map(({ status }) => status)
    expect(statuses).toEqual([429, 429])
  })

  test('that come in the middle of a stream are raised', async () => {
    const model = new ChatOpenAI({ model: 'sim-cut-5', ...settingsFor(simulator) })
    const pieces: unknown[] = []
    const reading = async () => {
      for await (const chunk of await model.stream('x')) pieces.push(chunk.content)
    }
    await expect(reading()).rejects.toMatchObject({ code: 'upstream_stream_interrupted' })
    expect(pieces.join('').split(' ')).toHaveLength(5)
  })
})

function settingsFor({ gateway, witness }: Stack) {
  const configuration = { baseURL: `${gateway.url}/v1`, fetch: witness.fetch }
  return { apiKey: 'unused', maxRetries: 0, configuration }
}
