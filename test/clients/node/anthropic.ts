import Anthropic, { type ClientOptions } from '@anthropic-ai/sdk'
import { brokenOff, piecesOf, play, raisedByEach, said, trip, weatherSchema } from './scenes.ts'

const [, , gateway = '', key = ''] = process.argv
const client = clientOf()
const messages = [{ role: 'user' as const, content: said }]
const hello = { max_tokens: 100, messages }

await play({
  chat: () => chat('sim-echo'),
  stream: () => piecesOf(streamed('sim-echo')),
  abort() {
    const leaving = new AbortController()
    return piecesOf(streamed('sim-stall-2-echo', leaving.signal), () => leaving.abort())
  },
  tools: runTool,
  async structured() {
    const message = await client.messages.parse({
      model: 'sim-echo',
      max_tokens: 100,
      messages: [{ role: 'user', content: trip }],
      output_config: { format: { type: 'json_schema', schema: weatherSchema } },
    })
    return message.parsed_output
  },
  errors: () => raisedByEach((model, apiKey = key) => chat(model, clientOf({ apiKey, maxRetries: 0 }))),
  cut: () => brokenOff(() => streamed('sim-cut-2-echo')),
  retries429: () => chat('limited'),
  retries503: () => chat('sim-flaky-2-echo'),
  inference: () => chat('sim-echo', clientOf({ baseURL: `${gateway}/inference` })),
})

/** Its base URL has no version. */
function clientOf(options: ClientOptions = {}): Anthropic {
  return new Anthropic({ baseURL: gateway, apiKey: key, ...options })
}

async function chat(model: string, near = client): Promise<string | undefined> {
  const { content } = await near.messages.create({ model, ...hello })
  return textIn(content)
}

async function* streamed(model: string, signal?: AbortSignal) {
  const stream = await client.messages.create({ model, ...hello, stream: true }, { signal })
  for await (const event of stream) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') yield event.delta.text
  }
}

async function runTool(): Promise<object> {
  const asked = {
    model: 'sim-tools-echo',
    max_tokens: 100,
    tools: [{ name: 'weather', input_schema: weatherSchema }],
  }
  const first = await client.messages.stream({ ...asked, messages }).finalMessage()
  const use = first.content.find(({ type }) => type === 'tool_use')
  if (use?.type !== 'tool_use') return first.content
  const result = { type: 'tool_result' as const, tool_use_id: use.id, content: 'It rains.' }
  const second = await client.messages.create({
    ...asked,
    messages: [
      ...messages,
      { role: 'assistant', content: first.content },
      { role: 'user', content: [result] },
    ],
  })
  return { called: use.name, input: use.input, answered: textIn(second.content) }
}

function textIn(content: readonly Anthropic.ContentBlock[]): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}
