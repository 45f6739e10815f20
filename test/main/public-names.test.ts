import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'
import { simulateTogether } from '../../src/simulator/together/together.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { onlyFile } from '../harness/only-file.ts'

const messages = [{ role: 'user', content: 'one two three four' }]

test.for<[string, string, object, RegExp]>([
  ['a chat', 'chat/completions', { messages }, /"model":"cheap"/],
  ['a stream of a chat', 'chat/completions', { messages, stream: true }, /"model":"cheap"/],
  ['a text', 'completions', { prompt: 'one two' }, /"model":"cheap"/],
  ['a stream of a text', 'completions', { prompt: 'one two', stream: true }, /"model":"cheap"/],
  ['a response', 'responses', { input: 'one two' }, /"model":"cheap"/],
  ['a message', 'messages', { messages, max_tokens: 9 }, /"model":"cheap"/],
  ['a stream of a message', 'messages', { messages, max_tokens: 9, stream: true }, /"model":"cheap"/],
  ['an embedding', 'embeddings', { input: 'one' }, /"model":"cheap"/],
])('the answer to %s names the model as it was requested', async ([, path, body, named]) => {
  await using scene = await openScene()
  const { text, upstreamModel } = await scene.ask(path, { model: 'cheap', ...body })
  expect(text).toMatch(named)
  expect(text).not.toContain('x/sim-echo')
  expect(upstreamModel).toBe('x/sim-echo')
})

test('a stream that is renamed is otherwise the same, byte for byte', async () => {
  await using scene = await openScene()
  await using plain = await openScene({ answerModel: 'upstream' })
  const body = { model: 'cheap', messages, stream: true }
  const [renamed, own] = [
    await scene.ask('chat/completions', body),
    await plain.ask('chat/completions', body),
  ]
  const blank = (text: string) => text.replace(/"(id|created)":("[^"]*"|\d+)/g, '"$1":0')
  expect(own.text).toContain('"model":"x/sim-echo"')
  expect(own.upstreamModel).toBeNull()
  expect(blank(renamed.text)).toBe(blank(own.text).replaceAll('"model":"x/sim-echo"', '"model":"cheap"'))
})

test('where a fallback to another model answered, that is the name', async () => {
  await using scene = await openScene()
  const body = { model: 'broken', models: ['cheap'], messages }
  const { text } = await scene.ask('chat/completions', body)
  expect(text).toContain('"model":"cheap"')
})

test('a pattern that leads to one model answers by the name that was requested', async () => {
  await using scene = await openScene()
  const { text, upstreamModel } = await scene.ask('chat/completions', { model: 'any-thing', messages })
  expect(text).toContain('"model":"any-thing"')
  expect(upstreamModel).toBe('x/sim-echo')
})

type Answered = { readonly text: string; readonly upstreamModel: string | null }
type Scene = AsyncDisposable & { ask(path: string, body: object): Promise<Answered> }

async function openScene(sections: object = {}): Promise<Scene> {
  const common = { engine: 'b', input: 1, output: 1, contextTokens: 32_768 } as const
  const models = [
    { id: 'x/sim-echo', type: 'chat', ...common },
    { id: 'x/sim-status-500', type: 'chat', ...common },
  ] as const
  const together = await simulateTogether({ host: '127.0.0.1', port: 0, models })
  const gateway: TestGateway = await startTestGateway(configOf(together.origin, sections))
  return {
    async ask(path, body) {
      const headers = { 'content-type': 'application/json' }
      const request = { method: 'POST', headers, body: JSON.stringify(body) }
      const response = await fetch(`${gateway.url}/v1/${path}`, request)
      const text = await response.text()
      expect(response.status, text).toBe(200)
      return { text, upstreamModel: response.headers.get('x-pandotate-upstream-model') }
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await together[Symbol.asyncDispose]()
    },
  }
}

function configOf(origin: string, sections: object) {
  const at = (model: string) => ({ deployments: [{ provider: 'together', model }] })
  const file = {
    ...sections,
    providers: { together: { baseUrl: `${origin}/v1`, retries: 0 } },
    models: { cheap: at('x/sim-echo'), broken: at('x/sim-status-500'), 'any-*': at('x/sim-echo') },
  }
  return loadConfig({
    environment: { GATEWAY_CONFIG: 'a.yaml', PORT: '0' },
    readFile: onlyFile(JSON.stringify(file)),
    providers,
  })
}
