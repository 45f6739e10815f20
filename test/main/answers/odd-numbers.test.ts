import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { TestGateway } from '../../harness/gateway.ts'
import { ask, startGatewayAt, startGatewayOver } from '../../harness/gateway-over.ts'
import { startRawServer } from '../../harness/raw-server.ts'

/** What a double does not hold, and is kept by its digits: it has no prototype. */
const raw = ['1e-400', '1e400', '123456789012345678901', '0.12345678901234567890123']

/** The text with a raw number in the place of each of its values in turn. */
function withRaw(value: unknown, number: string): readonly string[] {
  const mark = '"\u0000"'
  return placesIn(value).map((path) =>
    JSON.stringify(put(value, path)).replace(mark.replace('\u0000', '\\u0000'), number),
  )
}

type Path = readonly (string | number)[]

function placesIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const inner = Object.entries(value).flatMap(([key, each]) =>
    placesIn(each, [...path, Array.isArray(value) ? Number(key) : key]),
  )
  return path.length === 0 ? inner : [path, ...inner]
}

function put(value: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined) return '\u0000'
  if (Array.isArray(value)) return value.map((each, at) => (at === step ? put(each, rest) : each))
  const object = value as Record<string, unknown>
  return { ...object, [step]: put(object[step], rest) }
}

const message = { role: 'assistant', content: 'Hi' }
const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }
const usage = {
  prompt_tokens: 1,
  completion_tokens: 1,
  total_tokens: 2,
  prompt_tokens_details: { cached_tokens: 0 },
}
const logprobs = { content: [{ token: 'Hi', logprob: -1, bytes: [72], top_logprobs: [] }] }
const reply = {
  id: 'a',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { ...message, tool_calls: [call] }, logprobs, finish_reason: 'stop' }],
  usage,
}
const chunk = {
  ...reply,
  object: 'chat.completion.chunk',
  choices: [
    { index: 0, delta: { ...message, tool_calls: [{ index: 0, ...call }] }, logprobs, finish_reason: 'stop' },
  ],
}
const errors = [
  { error: { message: 'No.', type: 't', code: 'c', param: 'p' } },
  { error: { message: 'No.', code: 429 } },
  { detail: [{ loc: ['body', 'prompt', 0], msg: 'too short', type: 't' }] },
  { object: 'error', message: 'No.', code: 400, type: 't' },
  { message: 'No.', status: 500, retry_after: 1 },
]

/** An upstream that answers each request with the next of these. */
async function startAnswering(status: number, type: string, bodies: readonly string[]): Promise<string> {
  let next = 0
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(status, { 'content-type': type })
    response.end(bodies[next++ % bodies.length])
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The odd upstream first, and a sound one behind it. */
async function startBefore(odd: object): Promise<TestGateway> {
  const sound = await startAnswering(200, 'application/json', [
    JSON.stringify({ ...reply, choices: [{ index: 0, message, finish_reason: 'stop' }] }),
  ])
  const type = 'openai-compatible'
  const gateway = await startGatewayOver({
    providers: { odd, sound: { type, baseUrl: `${sound}/v1` } },
    models: {
      m: {
        route: 'fallback',
        deployments: [
          { provider: 'odd', model: 'x' },
          { provider: 'sound', model: 'x' },
        ],
      },
    },
  })
  onTestFinished(() => gateway[Symbol.asyncDispose]())
  return gateway
}

const question = { model: 'm', messages: [{ role: 'user', content: 'x' }] }

describe('a number that no double holds, anywhere in an answer, is never a fault of the gateway', () => {
  test.for([
    ['a JSON answer', 200, 'application/json', (text: string) => text, [reply]],
    ['a chunk', 200, 'text/event-stream', (text: string) => `data: ${text}\n\ndata: [DONE]\n\n`, [chunk]],
    ['a refusal', 422, 'application/json', (text: string) => text, errors],
    ['an error', 500, 'application/json', (text: string) => text, errors],
    ['an error in an answer', 200, 'application/json', (text: string) => text, errors],
    ['an error in a stream', 200, 'text/event-stream', (text: string) => `data: ${text}\n\n`, errors],
  ] as const)('%s', async ([, status, type, written, shapes]) => {
    const texts = shapes.flatMap((shape) => raw.flatMap((number) => withRaw(shape, number))).map(written)
    const origin = await startAnswering(status, type, texts)
    await using gateway = await startGatewayAt(origin)
    for (const stream of [false, true]) {
      for (const [at] of texts.entries()) {
        const { status: heard } = await ask(gateway, '/v1/chat/completions', { ...question, stream })
        expect(heard, texts[at]).not.toBe(500)
      }
    }
    for (const { attempts } of gateway.records) {
      for (const { failure } of attempts)
        expect(failure?.isBug === true ? String((failure.cause as Error).stack) : '').toBe('')
    }
  })
})

test.for(['000', '099', '101', '20', '600', '999'])('a status of %s is tried elsewhere', async (status) => {
  await using server = await startRawServer((socket) =>
    socket.end(`HTTP/1.1 ${status} Odd\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`),
  )
  const gateway = await startBefore({ type: 'openai-compatible', baseUrl: `${server.origin}/v1` })
  for (const stream of [false, true]) {
    expect((await ask(gateway, '/v1/chat/completions', { ...question, stream })).status).toBe(200)
  }
})

describe('a number that no double holds, anywhere in a request, is never a fault of the gateway', () => {
  const requests: readonly (readonly [string, object])[] = [
    [
      '/v1/chat/completions',
      {
        ...question,
        ...{ n: 1, max_tokens: 5, max_completion_tokens: 5, temperature: 1, top_p: 1, seed: 1, stop: ['a'] },
        ...{ logprobs: false, top_logprobs: 0, logit_bias: { 1: 1 }, user: 'u', stream_options: {} },
        ...{ tools: [{ type: 'function', function: { name: 'f', parameters: {} } }], tool_choice: 'auto' },
        ...{ response_format: { type: 'text' }, provider: { order: ['sound'], max_price: { prompt: 1 } } },
        metadata: { a: 'b' },
      },
    ],
    [
      '/v1/completions',
      {
        ...{ model: 'm', prompt: 'x', best_of: 1, n: 1, max_tokens: 5, logprobs: 0, echo: false, suffix: '' },
        ...{ stop: ['a'], logit_bias: { 1: 1 }, presence_penalty: 0, frequency_penalty: 0 },
      },
    ],
    [
      '/v1/messages',
      {
        ...{ ...question, max_tokens: 5, temperature: 1, top_k: 1, stop_sequences: ['a'], system: 'x' },
        tools: [{ name: 'f', input_schema: {}, type: 'custom' }],
        thinking: { type: 'enabled', budget_tokens: 1024 },
      },
    ],
    [
      '/v1/responses',
      {
        ...{ model: 'm', input: [{ type: 'message', role: 'user', content: 'x', id: 'i' }], include: ['a'] },
        ...{ max_output_tokens: 16, tools: [{ type: 'function', name: 'f', parameters: {} }], text: {} },
        ...{ reasoning: { effort: 'low' }, previous_response_id: null, tool_choice: 'auto', store: false },
      },
    ],
    ['/v1/embeddings', { model: 'm', input: ['x'], dimensions: 1, encoding_format: 'float' }],
    ['/v1/rerank', { model: 'm', query: 'x', documents: ['a', { text: 'b' }], top_n: 1 }],
    ['/inference', { model: 'm', prompt: 'x', max_tokens: 5, temperature: 1 }],
    ['/v1/route/explain', question],
    ['/v1/tokenize', { model: 'm', prompt: 'x', messages: question.messages }],
    ['/v1/messages/count_tokens', { ...question, system: 'x', tools: [{ name: 'f', input_schema: {} }] }],
  ]

  test.for(requests)('%s', async ([path, body]) => {
    const gateway = await startBefore({ type: 'simulator' })
    for (const text of raw.flatMap((number) => withRaw(body, number))) {
      const response = await fetch(gateway.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: text,
      })
      await response.text()
      expect(response.status, text).not.toBe(500)
    }
    for (const { attempts, failure } of gateway.records) {
      expect(failure?.isBug === true ? String((failure.cause as Error).stack) : '').toBe('')
      for (const one of attempts)
        expect(one.failure?.cause ?? '', String(one.failure?.cause)).not.toBeInstanceOf(TypeError)
    }
  })
})
