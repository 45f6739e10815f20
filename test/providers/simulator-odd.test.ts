import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/core/model/json/json.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { asJson } from '../main/upstreams/asking.ts'

const user = { role: 'user', content: 'one two' }

describe('what newcomers try first with the simulator', () => {
  test.for([false, true])('logprobs of every token of a chat, streamed: %s', async (stream) => {
    await using gateway = await startTestGateway()
    const asked = { model: 'sim-echo', messages: [user], logprobs: true, top_logprobs: 2, stream }
    const response = await fetch(`${gateway.url}/v1/chat/completions`, asJson(asked))
    expect(response.headers.get('x-pandotate-dropped-params')).toBeNull()
    const text = await response.text()
    const chunks = stream ? [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => json ?? '') : [text]
    const tokens = chunks.flatMap((json) => {
      const [choice] = JSON.parse(json).choices
      return choice?.logprobs?.content ?? []
    })
    expect(tokens.map(({ token }: { token: string }) => token)).toEqual(['one', ' two'])
    for (const { logprob, top_logprobs: top } of tokens) {
      expect(logprob).toBeLessThan(0)
      expect(top).toHaveLength(2)
    }
  })

  test('logprobs of every token of a text, and where each begins', async () => {
    await using gateway = await startTestGateway()
    const asked = { model: 'sim-echo', prompt: 'one two', logprobs: 1 }
    const response = await fetch(`${gateway.url}/v1/completions`, asJson(asked))
    const { choices } = (await response.json()) as { choices: JsonObject[] }
    expect(choices[0]?.['logprobs']).toMatchObject({ tokens: ['one', ' two'], text_offset: [0, 3] })
  })

  test('embeddings of so many dimensions', async () => {
    await using gateway = await startTestGateway()
    for (const dimensions of [1, 8, 1536]) {
      const asked = { model: 'sim-echo', input: 'one', dimensions }
      const response = await fetch(`${gateway.url}/v1/embeddings`, asJson(asked))
      const { data } = (await response.json()) as { data: { embedding: number[] }[] }
      expect(data[0]?.embedding).toHaveLength(dimensions)
      expect(Math.hypot(...(data[0]?.embedding ?? []))).toBeCloseTo(1)
    }
  })

  test('a format of text is what is given anyway', async () => {
    await using gateway = await startTestGateway()
    const asked = {
      model: 'sim-echo',
      messages: [user],
      response_format: { type: 'text' },
      modalities: ['text'],
    }
    const response = await fetch(`${gateway.url}/v1/chat/completions`, asJson(asked))
    expect(response.headers.get('x-pandotate-dropped-params')).toBeNull()
  })
})

test('whatever it is asked, the simulator answers or refuses: nothing in it throws', async () => {
  await using gateway = await startTestGateway()
  const fields = {
    '/completions': ['prompt', 'max_tokens', 'stop', 'echo', 'logprobs', 'suffix', 'best_of', 'n'],
    '/chat/completions': [
      'messages',
      'max_tokens',
      'stop',
      'tools',
      'tool_choice',
      'logprobs',
      'top_logprobs',
    ],
    '/embeddings': ['input', 'dimensions', 'encoding_format'],
    '/rerank': ['query', 'documents', 'top_n', 'rank_fields', 'return_documents'],
  }
  const usual: Readonly<Record<string, JsonObject>> = {
    '/completions': { prompt: 'a' },
    '/chat/completions': { messages: [user] },
    '/embeddings': { input: 'a' },
    '/rerank': { query: 'a', documents: ['a', { text: 'b' }] },
  }
  const number = fc.constantFrom('1e400', '-1e-400', '123456789012345678901234567890', '0', '2')
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }).map((one) => JSON.stringify(one)),
    number,
  )
  const documents = number.map((one) => `[{"text":${one}},"b"]`)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(fields)),
      fc.nat(),
      fc.oneof(value, documents),
      fc.constantFrom('sim-echo', 'sim-tools', 'sim-length'),
      async (path, place, given, model) => {
        const names = fields[path as keyof typeof fields]
        const name = names[place % names.length] ?? ''
        const { [name]: _replaced, ...rest } = { model, max_tokens: 5, ...usual[path] } as JsonObject
        const body = `${JSON.stringify(rest).slice(0, -1)},${JSON.stringify(name)}:${given}}`
        const response = await fetch(`${gateway.url}/v1${path}`, { ...asJson({}), body })
        await response.text()
        expect(response.status).toBeLessThan(500)
      },
    ),
    { numRuns: 150 },
  )
})
