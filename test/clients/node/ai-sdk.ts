import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import {
  type EmbeddingModel,
  embedMany,
  generateText,
  type LanguageModel,
  Output,
  stepCountIs,
  streamText,
  tool,
} from 'ai'
import * as z from 'zod'
import { brokenOff, piecesOf, play, raisedByEach, said, texts, trip } from './scenes.ts'

type Models = {
  readonly main: (model: string) => LanguageModel
  readonly chat: (model: string) => LanguageModel
  readonly completion: (model: string) => LanguageModel
  readonly embedding: (model: string) => EmbeddingModel
}

const [, , which = '', gateway = '', key = ''] = process.argv
const models = modelsAt('/v1', key)
const shape = z.object({ city: z.string(), days: z.int() })

await play({
  // It writes a prompt as a transcript, which comes back whole.
  completions: async () =>
    /^user:\n(.*)\n\nassistant:\n$/.exec(await text(models.completion('sim-echo')))?.[1],
  chat: () => text(models.chat('sim-echo')),
  stream: () => piecesOf(streamed('sim-echo')),
  async abort() {
    const leaving = new AbortController()
    return piecesOf(streamed('sim-stall-2-echo', leaving.signal), () => leaving.abort())
  },
  tools: runTool,
  async structured() {
    const { output } = await generateText({
      model: models.main('sim-echo'),
      prompt: trip,
      output: Output.object({ schema: shape }),
    })
    return output
  },
  async embeddings() {
    return (await embedMany({ model: models.embedding('sim-echo'), values: texts })).embeddings
  },
  // What createOpenAI makes by default.
  ...(which === 'openai' && { responses: async () => (await piecesOf(streamed('sim-echo'))).join('') }),
  errors: () =>
    raisedByEach((model, apiKey = key) =>
      generateText({ model: modelsAt('/v1', apiKey).main(model), prompt: said, maxRetries: 0 }),
    ),
  cut: () => brokenOff(() => streamed('sim-cut-2-echo')),
  retries429: () => text(models.main('limited')),
  retries503: () => text(models.main('sim-flaky-2-echo')),
  inference: () => text(modelsAt('/inference', key).main('sim-echo')),
})

function modelsAt(path: string, apiKey: string): Models {
  const baseURL = gateway + path
  if (which === 'openai') {
    const openai = createOpenAI({ baseURL, apiKey })
    return {
      main: openai,
      chat: openai.chat,
      completion: openai.completion,
      embedding: openai.embedding,
    }
  }
  const compatible = createOpenAICompatible({
    name: 'gateway',
    baseURL,
    apiKey,
    supportsStructuredOutputs: true,
  })
  return {
    main: compatible,
    chat: compatible.chatModel,
    completion: compatible.completionModel,
    embedding: compatible.embeddingModel,
  }
}

async function text(model: LanguageModel): Promise<string> {
  return (await generateText({ model, prompt: said })).text
}

/** It tells of an error in its own stream of parts, and ends that of the text without a word. */
async function* streamed(model: string, signal?: AbortSignal) {
  const { fullStream } = streamText({
    model: models.main(model),
    prompt: said,
    ...(signal !== undefined && { abortSignal: signal }),
    onError: () => undefined,
  })
  for await (const part of fullStream) {
    if (part.type === 'text-delta') yield part.text
    if (part.type === 'error') throw part.error
  }
}

async function runTool(): Promise<object> {
  let input: unknown
  const weather = tool({
    description: 'Tells the weather.',
    inputSchema: shape,
    execute(given) {
      input = given
      return 'It rains.'
    },
  })
  const { steps, text: answered } = await generateText({
    model: models.main('sim-tools-echo'),
    prompt: said,
    tools: { weather },
    stopWhen: stepCountIs(2),
  })
  return { called: steps[0]?.toolCalls[0]?.toolName, input, answered }
}
