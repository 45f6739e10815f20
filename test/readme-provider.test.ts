import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import type { Call } from '../src/core/model.ts'
import type { Provider } from '../src/providers/provider.ts'
import { startAttempt } from './fakes/attempt.ts'
import { answer, startRawServer } from './fakes/raw-server.ts'
import { sentBursts } from './fakes/sent.ts'
import { tools } from './fakes/tools.ts'
import { failureOf } from './fakes/wire.ts'
import { call } from './providers/simulated-call.ts'

const here = dirname(fileURLToPath(import.meta.url))

test.for([
  ['a completion', { kind: 'text', body: { prompt: 'Hi', max_tokens: 3 } }, 'Hi', { text: 'Hello.' }],
  [
    'a chat',
    { kind: 'chat', body: { messages: [{ role: 'user', content: 'Hi' }] } },
    'Hi',
    { message: { content: 'Hello.' } },
  ],
] as const)('the provider in the README answers %s', async ([, asked, inputs, said]) => {
  await using server = await startRawServer((socket) => socket.write(answer('{"generated_text":"Hello."}')))
  using written = writeProvider()
  const upstream = await written.create(server.origin)
  const sent = upstream.send(
    call({ model: 'm', ...asked } as Partial<Call> & { model: string }),
    startAttempt('m'),
  )
  const [burst] = await Array.fromAsync(sentBursts(sent))
  expect(burst?.[0]?.chunk['choices']).toEqual([{ index: 0, ...said, finish_reason: 'stop' }])
  expect(JSON.parse(String(server.requests[0]?.body))).toMatchObject({ inputs })
  await upstream.close()
})

test('the provider in the README tells a refusal apart', async () => {
  await using server = await startRawServer((socket) => socket.write(answer('{}', { status: 429 })))
  using written = writeProvider()
  const upstream = await written.create(server.origin)
  const sent = sentBursts(upstream.send(call({ model: 'm', body: { prompt: 'Hi' } }), startAttempt('m')))
  expect(await failureOf(Array.fromAsync(sent))).toMatchObject({ kind: 'rate_limited', provider: 'tgi' })
  await upstream.close()
})

/** The README's file as it stands, in a folder as deep as the providers' own. */
function writeProvider() {
  const readme = readFileSync(join(here, '../README.md'), 'utf8')
  const block = /```ts\n\/\/ src\/providers\/generate\.ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const directory = mkdtempSync(join(here, 'written-'))
  const path = join(directory, 'generate.ts')
  writeFileSync(
    path,
    block.replaceAll("'./", "'../../src/providers/").replaceAll("'../core/", "'../../src/core/"),
  )
  return {
    async create(origin: string) {
      const { generate } = (await import(pathToFileURL(path).href)) as { generate: Provider }
      return generate.create('tgi', generate.settings.parse({ url: `${origin}/generate` }), tools)
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}
