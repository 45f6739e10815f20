import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { eachFailing, play, said, texts, trip, weatherSchema } from './node/scenes.ts'

// What a shell script would do: only the exit code and what curl prints are looked at.

const [, , gateway = '', key = ''] = process.argv
const messages = [{ role: 'user', content: said }]
const retrying = ['--retry', '3', '--fail']

await play({
  completions: async () => (await ask('/v1/completions', { prompt: said })).choices[0].text,
  chat: () => chat('sim-echo'),
  stream: async () => piecesIn(await streamed('sim-echo', [])),
  // It can leave by the clock alone.
  abort: async () => piecesIn(await streamed('sim-stall-2-echo', ['--max-time', '1'])),
  tools: runTool,
  structured: structured,
  async embeddings() {
    const { data } = await ask('/v1/embeddings', { input: texts })
    return data.map(({ embedding }: { embedding: readonly number[] }) => embedding)
  },
  async responses() {
    const stream = await post('/v1/responses', { model: 'sim-echo', input: said, stream: true }, ['-N'])
    const deltas = eventsIn(stream).filter(({ type }) => type === 'response.output_text.delta')
    return deltas.map(({ delta }) => delta).join('')
  },
  errors,
  async cut() {
    const events = eventsIn(await streamed('sim-cut-2-echo', []))
    return { pieces: piecesOf(events), raised: events.at(-1)?.error?.code }
  },
  retries429: () => chat('limited', retrying),
  retries503: () => chat('sim-flaky-2-echo', retrying),
  inference: async () => (await ask('/inference/chat/completions', { messages })).choices[0].message.content,
})

// biome-ignore lint/suspicious/noExplicitAny: what is read here is what the suite is about
type Json = any

/** `more`: words for curl. An exit that is not 0 has still written something. */
async function post(path: string, body: object, more: readonly string[], bearer = key): Promise<string> {
  const words = ['-sS', '-H', 'Content-Type: application/json', '-H', `Authorization: Bearer ${bearer}`]
  try {
    const asked = [...words, ...more, '-d', JSON.stringify(body), gateway + path]
    return (await promisify(execFile)('curl', asked)).stdout
  } catch (thrown) {
    return (thrown as { stdout: string }).stdout
  }
}

async function ask(path: string, body: object, more: readonly string[] = []): Promise<Json> {
  return JSON.parse(await post(path, { model: 'sim-echo', ...body }, more))
}

async function chat(model: string, more: readonly string[] = []): Promise<Json> {
  return (await ask('/v1/chat/completions', { model, messages }, more)).choices[0].message.content
}

function streamed(model: string, more: readonly string[]): Promise<string> {
  return post('/v1/chat/completions', { model, messages, stream: true }, ['-N', ...more])
}

function eventsIn(stream: string): readonly Json[] {
  const payloads = stream.split('\n').filter((line) => line.startsWith('data: {'))
  return payloads.map((line) => JSON.parse(line.slice('data: '.length)))
}

function piecesOf(events: readonly Json[]): readonly string[] {
  return events.map(({ choices }) => choices?.[0]?.delta.content).filter(Boolean)
}

function piecesIn(stream: string): readonly string[] {
  return piecesOf(eventsIn(stream))
}

async function structured(): Promise<Json> {
  const { choices } = await ask('/v1/chat/completions', {
    messages: [{ role: 'user', content: trip }],
    response_format: { type: 'json_schema', json_schema: { name: 'trip', schema: weatherSchema } },
  })
  return JSON.parse(choices[0].message.content)
}

async function runTool(): Promise<object> {
  const tools = [{ type: 'function', function: { name: 'weather', parameters: weatherSchema } }]
  const asked = { model: 'sim-tools-echo', tools }
  const first = (await ask('/v1/chat/completions', { ...asked, messages })).choices[0].message
  const [call] = first.tool_calls
  const result = { role: 'tool', tool_call_id: call.id, content: 'It rains.' }
  const second = await ask('/v1/chat/completions', { ...asked, messages: [...messages, first, result] })
  return {
    called: call.function.name,
    input: JSON.parse(call.function.arguments),
    answered: second.choices[0].message.content,
  }
}

/** With --fail it ends with 22, and can be had tell the status. */
function errors(): Promise<object> {
  const failing = ['--fail', '-o', '/dev/null', '-w', '%{exitcode} %{http_code}']
  return eachFailing((model, bearer) => post('/v1/chat/completions', { model, messages }, failing, bearer))
}
