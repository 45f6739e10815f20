import { HumanMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { ChatOpenAI, OpenAI, OpenAIEmbeddings } from '@langchain/openai'
import * as z from 'zod'
import { brokenOff, piecesOf, play, raisedByEach, said, texts, trip } from './scenes.ts'

const [, , gateway = '', key = ''] = process.argv
const shape = z.object({ city: z.string(), days: z.int() })

await play({
  completions: () => new OpenAI({ model: 'sim-echo', ...settings() }).invoke(said),
  chat: () => chat('sim-echo'),
  stream: () => piecesOf(streamed('sim-echo')),
  abort: leave,
  tools: runTool,
  structured: () => chatOf('sim-echo').withStructuredOutput(shape, { method: 'jsonSchema' }).invoke(trip),
  embeddings: () => new OpenAIEmbeddings({ model: 'sim-echo', ...settings() }).embedDocuments(texts),
  async responses() {
    let whole = ''
    const stream = await chatOf('sim-echo', { useResponsesApi: true }).stream(said)
    for await (const chunk of stream) whole += chunk.text
    return whole
  },
  errors: () => raisedByEach((model, apiKey = key) => chat(model, { apiKey, maxRetries: 0 })),
  cut: () => brokenOff(() => streamed('sim-cut-2-echo')),
  retries429: () => chat('limited'),
  retries503: () => chat('sim-flaky-2-echo'),
  inference: () => chat('sim-echo', settings('/inference')),
})

function settings(path = '/v1') {
  return { apiKey: key, configuration: { baseURL: gateway + path } }
}

function chatOf(model: string, more: object = {}): ChatOpenAI {
  return new ChatOpenAI({ model, ...settings(), ...more })
}

async function chat(model: string, more: object = {}): Promise<unknown> {
  return (await chatOf(model, more).invoke(said)).content
}

async function* streamed(model: string, signal?: AbortSignal) {
  const stream = await chatOf(model).stream(said, signal === undefined ? {} : { signal })
  for await (const { text } of stream) yield text
}

/** It throws at one who leaves by a signal. */
async function leave(): Promise<readonly string[]> {
  const leaving = new AbortController()
  const pieces: string[] = []
  try {
    for await (const piece of streamed('sim-stall-2-echo', leaving.signal)) {
      if (piece) pieces.push(piece)
      if (pieces.length === 2) leaving.abort()
    }
  } catch (thrown) {
    if (!leaving.signal.aborted) throw thrown
  }
  return pieces
}

async function runTool(): Promise<object> {
  const weather = tool(() => 'It rains.', {
    name: 'weather',
    description: 'Tells the weather.',
    schema: shape,
  })
  const model = chatOf('sim-tools-echo').bindTools([weather])
  const asked = new HumanMessage(said)
  const first = await model.invoke([asked])
  const [call] = first.tool_calls ?? []
  const result = new ToolMessage({ tool_call_id: call?.id ?? '', content: 'It rains.' })
  const { content } = await model.invoke([asked, first, result])
  return { called: call?.name, input: call?.args, answered: content }
}
