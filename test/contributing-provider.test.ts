import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import type { Upstream } from '../src/core/model/ports.ts'
import type { Provider } from '../src/providers/base/provider.ts'
import { describeProvider, overSockets } from './contracts/provider.ts'
import { startAttempt } from './harness/core/attempt.ts'
import { call, tell } from './harness/core/simulated-call.ts'
import { answer, startRawServer, streamed } from './harness/raw-server.ts'
import { tools } from './harness/tools.ts'

const here = dirname(fileURLToPath(import.meta.url))
const page = readFileSync(join(here, '../CONTRIBUTING.md'), 'utf8')
const [, name = '', block = ''] = /```ts\n\/\/ src\/providers\/(\w+)\.ts\n([\s\S]*?)```/.exec(page) ?? []
const { [name]: provider } = await loadProvider()

/** As llama.cpp tells it: events say what is new, the last of them, as a whole answer does, why and how much. */
const ending = { stop: true, stop_type: 'eos', tokens_evaluated: 2, tokens_predicted: 2 }
const said = (content: string, more: object = {}) => ({ content, stop: false, ...more })
const wholeAnswer = answer(JSON.stringify(said('one two', ending)))
const events = [said('one'), said(' two'), said('', ending)]
const streamedAnswer = streamed(events.map((event) => `data: ${JSON.stringify(event)}\n\n`))

test('the provider in CONTRIBUTING.md has the 30 lines that it is said to have at most', () => {
  const lines = block.trimEnd().split('\n')
  expect(page).toContain('in 30 lines:')
  expect(lines.length).toBeGreaterThan(10)
  // The line that names the file is one of them.
  expect(lines.length + 1).toBeLessThanOrEqual(30)
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(110)
})

describeProvider(
  overSockets('the provider in CONTRIBUTING.md', create, {
    say: (body, contentType) => answer(body, { headers: { 'content-type': contentType } }),
    refuse: (status, headers) => answer('{"error":{"message":"No.","code":0}}', { status, headers }),
    answer: ({ body }) => (JSON.parse(body).stream ? streamedAnswer : wholeAnswer),
  }),
)

test('the provider in CONTRIBUTING.md asks as its server wants to be asked', async () => {
  await using server = await startRawServer((socket) => socket.write(wholeAnswer))
  const upstream = create(server.origin)
  const attempt = startAttempt('llama-3-8b')
  const messages = [{ role: 'user', content: 'Hi' }]
  const body = { messages, max_completion_tokens: 3, temperature: null, user: 'me', stop: '.' }
  const told = await tell(upstream, call({ model: 'm', kind: 'chat', body }), attempt)
  expect(told).toMatchObject({ text: 'one two', usage: { prompt_tokens: 2, completion_tokens: 2 } })
  expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
    prompt: expect.stringContaining('<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>'),
    n_predict: 3,
    stop: ['.', '<|eot_id|>', expect.any(String)],
    stream: false,
  })
  expect(attempt.notes).toMatchObject({
    dropped: ['user'],
    converted: ['messages to prompt (llama3)', 'max_completion_tokens to max_tokens'],
  })
  await upstream.close()
})

function create(origin: string): Upstream {
  if (provider === undefined) throw new Error('the README has no provider')
  const settings = provider.settings.parse({ url: `${origin}/completion`, apiKey: 'own-key' })
  return provider.create('up', settings, tools)
}

/** The README's file as it stands, in a folder as deep as the providers' own. */
async function loadProvider(): Promise<Readonly<Record<string, Provider>>> {
  const directory = mkdtempSync(join(here, 'written-'))
  try {
    const path = join(directory, `${name}.ts`)
    writeFileSync(path, block.replaceAll("'./", "'../../src/providers/"))
    return await import(pathToFileURL(path).href)
  } finally {
    rmSync(directory, { recursive: true })
  }
}
