import OpenAI, { type ClientOptions } from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import * as z from 'zod'
import { brokenOff, piecesOf, raisedByEach, type Scenes, said, texts, trip, weatherSchema } from './scenes.ts'

/** What the official client does, in Node.js as in a browser. */
export function openaiScenes(gateway: string, key: string): Scenes {
  const clientOf = (options: ClientOptions = {}) =>
    new OpenAI({ baseURL: `${gateway}/v1`, apiKey: key, dangerouslyAllowBrowser: true, ...options })
  const client = clientOf()
  const messages = [{ role: 'user' as const, content: said }]

  async function chat(model: string, near = client): Promise<string | null | undefined> {
    return (await near.chat.completions.create({ model, messages })).choices[0]?.message.content
  }

  async function* streamed(model: string, signal?: AbortSignal) {
    const stream = await client.chat.completions.create({ model, messages, stream: true }, { signal })
    for await (const { choices } of stream) yield choices[0]?.delta.content
  }

  return {
    completions: async () =>
      (await client.completions.create({ model: 'sim-echo', prompt: said })).choices[0]?.text,
    chat: () => chat('sim-echo'),
    stream: () => piecesOf(streamed('sim-echo')),
    abort() {
      const leaving = new AbortController()
      return piecesOf(streamed('sim-stall-2-echo', leaving.signal), () => leaving.abort())
    },
    tools: () => runTool(client),
    async structured() {
      const shape = z.object({ city: z.string(), days: z.int() })
      const chat = await client.chat.completions.parse({
        model: 'sim-echo',
        messages: [{ role: 'user', content: trip }],
        response_format: zodResponseFormat(shape, 'trip'),
      })
      return chat.choices[0]?.message.parsed
    },
    async embeddings() {
      const { data } = await client.embeddings.create({ model: 'sim-echo', input: texts })
      return data.map(({ embedding }) => embedding)
    },
    async responses() {
      const response = await client.responses.stream({ model: 'sim-echo', input: said }).finalResponse()
      return response.output_text
    },
    errors: () => raisedByEach((model, apiKey = key) => chat(model, clientOf({ apiKey, maxRetries: 0 }))),
    cut: () => brokenOff(() => streamed('sim-cut-2-echo')),
    retries429: () => chat('limited'),
    retries503: () => chat('sim-flaky-2-echo'),
    inference: () => chat('sim-echo', clientOf({ baseURL: `${gateway}/inference` })),
  }
}

/** The client's own agent: it calls the function that the model asks for, and sends what that returns. */
async function runTool(client: OpenAI): Promise<object> {
  let called: string | undefined
  let input: unknown
  const weather = {
    name: 'weather',
    description: 'Tells the weather.',
    parameters: weatherSchema,
    parse: JSON.parse,
    function(given: object) {
      input = given
      return 'It rains.'
    },
  }
  const running = client.chat.completions.runTools({
    model: 'sim-tools-echo',
    messages: [{ role: 'user', content: said }],
    tools: [{ type: 'function', function: weather }],
  })
  running.on('functionToolCall', ({ name }) => {
    called = name
  })
  const answered = await running.finalContent()
  return { called, input, answered }
}
