import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { RawDelta } from '../../../src/core/model/call.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import type { Upstream } from '../../../src/core/model/ports.ts'
import { oneChoiceOf } from '../../../src/providers/base/common-settings.ts'
import { stopToList } from '../../../src/providers/openai/adaptations.ts'
import { createOpenAiCompatible, openaiCompatible } from '../../../src/providers/openai/openai-compatible.ts'
import type { Quirks } from '../../../src/providers/openai/quirks.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call } from '../../harness/core/simulated-call.ts'
import {
  answer,
  type Behaviour,
  chunk,
  lastChunk,
  type RawServer,
  startRawServer,
  streamed,
  streamHead,
} from '../../harness/raw-server.ts'
import { sentBursts } from '../../harness/sent.ts'
import { tools } from '../../harness/tools.ts'
import { failureOf } from '../../harness/wire.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/openai-compatible/${name}`, import.meta.url), 'utf8')
const reply = fixture('together-reply.json')

type Scene = AsyncDisposable & { readonly server: RawServer; readonly upstream: Upstream }

async function stage(behave: Behaviour, input: object = {}, quirks: Quirks = {}): Promise<Scene> {
  const server = await startRawServer(behave)
  const baseUrl = `${server.origin}/v1`
  const settings = openaiCompatible.settings.parse({ baseUrl, ...input })
  const upstream = createOpenAiCompatible(
    'up',
    { ...settings, baseUrl, oneChoice: oneChoiceOf(settings.oneChoice ?? false) },
    tools,
    quirks,
  )
  return {
    server,
    upstream,
    async [Symbol.asyncDispose]() {
      await upstream.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

function ask(upstream: Upstream, asked: object = {}): Promise<(readonly RawDelta[])[]> {
  return Array.fromAsync(
    sentBursts(upstream.send(call({ model: 'm', kind: 'chat', ...asked }), startAttempt('m'))),
  )
}

const answers: Behaviour = (socket) => socket.write(answer(reply))

test('settings have their defaults', () => {
  expect(openaiCompatible.settings.parse({ baseUrl: 'http://a/v1' })).toEqual({
    baseUrl: 'http://a/v1',
    clocks: { connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 600_000 },
    retries: 1,
    retryDelayMs: 200,
    concurrency: 128,
    queueMs: 10_000,
    queueLimit: 1000,
    onAbort: 'cancel',
    billing: { stopsOnAbort: false },
    headers: {},
    models: [],
    quirks: {},
  })
})

test.for([
  ['no address', {}],
  ['a preset that knows no address', { preset: 'vllm' }],
  ['an unknown preset', { preset: 'acme' }],
  ['an unknown quirk', { baseUrl: 'http://a', quirks: { drop: ['user'] } }],
  ['an unknown role', { baseUrl: 'http://a', quirks: { developerRole: 'user' } }],
  ['an address that is none', { baseUrl: 'localhost:8000' }],
  ['an address of files', { baseUrl: 'file:///etc/passwd' }],
  ['credentials in the address', { baseUrl: 'https://user:pass@a/v1' }],
  ['a fragment in the address', { baseUrl: 'https://a/v1#x' }],
  ['an empty key', { baseUrl: 'http://a', apiKey: '' }],
  ['a key with a line end', { baseUrl: 'http://a', apiKey: 'k\r\nx: y' }],
  ['a header of the connection', { baseUrl: 'http://a', headers: { 'Transfer-Encoding': 'chunked' } }],
  ['another authorization', { baseUrl: 'http://a', headers: { authorization: 'Basic x' } }],
  ['a header with a line end', { baseUrl: 'http://a', headers: { x: 'a\nb' } }],
  ['a header without a name', { baseUrl: 'http://a', headers: { '': 'a' } }],
  ['a clock that is not', { baseUrl: 'http://a', clocks: { idleMs: 0 } }],
  ['an unknown clock', { baseUrl: 'http://a', clocks: { lunchMs: 1 } }],
  ['an unknown setting', { baseUrl: 'http://a', api_key: 'x' }],
])('%s is refused', ([, input]) => {
  expect(openaiCompatible.settings.safeParse(input).success).toBe(false)
})

test('what was set is what the upstream has', async () => {
  await using scene = await stage(answers, {
    oneChoice: true,
    models: ['a'],
    retries: 3,
    clocks: { idleMs: 7 },
  })
  expect(scene.upstream).toMatchObject({
    name: 'up',
    clocks: { connectMs: 5000, idleMs: 7 },
    retry: { retries: 3, delayMs: 200 },
    oneChoice: { text: true, chat: true },
    knownModels: ['a'],
  })
  expect(scene.upstream.admits(undefined)).toBe(true)
})

test.for([
  ['chat', '/v1', '/v1/chat/completions'],
  ['text', '/v1', '/v1/completions'],
  ['chat', '/openai/v1/', '/openai/v1/chat/completions'],
  ['chat', '', '/chat/completions'],
  ['text', '/v1?api-version=7', '/v1/completions?api-version=7'],
] as const)('a %s call at …%s goes to %s', async ([kind, path, asked]) => {
  await using server = await startRawServer(answers)
  const settings = openaiCompatible.settings.parse({ baseUrl: `${server.origin}${path}` })
  const upstream = openaiCompatible.create('up', settings, tools)
  await ask(upstream, { kind })
  expect(server.requests[0]?.path).toBe(asked)
  await upstream.close()
})

test('the key goes upstream, and no credential of a caller ever', async () => {
  await using scene = await stage(answers, { apiKey: 'sk-own', headers: { 'X-Session': 'abc' } })
  await ask(scene.upstream, { credential: 'sk-callers' })
  await using open = await stage(answers)
  await ask(open.upstream, { credential: 'pk_callers' })
  expect(scene.server.requests[0]?.headers).toMatchObject({
    authorization: 'Bearer sk-own',
    'x-session': 'abc',
  })
  expect(open.server.requests[0]?.headers).not.toHaveProperty('authorization')
  expect(
    JSON.stringify([...scene.server.requests, ...open.server.requests].map(({ headers }) => headers)),
  ).not.toContain('callers')
})

test('a server may want another word before the key', async () => {
  await using scene = await stage(answers, { apiKey: 'abc' }, { scheme: 'Api-Key' })
  await ask(scene.upstream)
  expect(scene.server.requests[0]?.headers['authorization']).toBe('Api-Key abc')
})

test.for(['chat', 'text'] as const)(
  'a %s call goes where a server has it, and nowhere else',
  async (kind) => {
    const paths = { [kind]: '/environments/production/sync/ask?x=1' }
    await using scene = await stage(answers, {}, { paths })
    await ask(scene.upstream, { kind })
    const other = kind === 'chat' ? 'text' : 'chat'
    for (const stream of [false, true]) {
      expect(await failureOf(ask(scene.upstream, { kind: other, stream }))).toMatchObject({
        kind: 'unsupported',
        provider: 'up',
        message: expect.stringContaining(`no ${other} completions`),
      })
    }
    expect(scene.server.requests.map(({ path }) => path)).toEqual(['/environments/production/sync/ask?x=1'])
  },
)

test('what a server needs otherwise is changed, and told', async () => {
  await using scene = await stage(
    answers,
    {},
    { drops: ['user'], renames: { seed: 'random_seed' }, adapt: stopToList },
  )
  const attempt = startAttempt('m')
  const body = { model: 'm', user: 'u', seed: 1, stop: 'x', top_k: 3 }
  await Array.fromAsync(
    sentBursts(scene.upstream.send(call({ model: 'm', source: JSON.stringify(body), body }), attempt)),
  )
  expect(JSON.parse(scene.server.requests[0]?.body ?? '')).toEqual({
    ...{ model: 'm', random_seed: 1, stop: ['x'], top_k: 3 },
  })
  expect(attempt.notes).toMatchObject({
    dropped: ['user'],
    converted: ['seed to random_seed', 'stop to a list'],
  })
})

test("the caller's own bytes go upstream", async () => {
  await using scene = await stage(answers)
  const source = '{ "model" : "m", "seed":9223372036854775807 }'
  await ask(scene.upstream, { source, body: JSON.parse(source) })
  expect(scene.server.requests[0]?.body).toBe(source)
})

test('a reply is one delta with its very text, whatever was requested', async () => {
  await using scene = await stage(answers)
  for (const stream of [false, true]) {
    const bursts = await ask(scene.upstream, { stream })
    expect(bursts).toEqual([[JsonText.read(expect.objectContaining({ object: 'chat.completion' }), reply)]])
  }
})

test.for([
  ['content-type: text/event-stream', false],
  ['content-type: text/event-stream; charset=utf-8', false],
  ['content-type: Text/Event-Stream', true],
  ['server: says-nothing', true],
] as const)('an answer with %s is read as events, asked for (%s) or not', async ([header, stream]) => {
  const head = `HTTP/1.1 200 OK\r\n${header}\r\nconnection: close\r\n\r\n`
  await using scene = await stage((socket) => socket.end(head + fixture('vllm-text.sse')))
  expect((await ask(scene.upstream, { kind: 'text', stream })).flat()).toHaveLength(4)
})

test('events that arrive together are one burst, and each read is one', async () => {
  const events = fixture('vllm-text.sse').split(/(?<=\n\n)/)
  await using scene = await stage((socket) => {
    socket.write(Buffer.concat([Buffer.from(streamHead()), ...events.slice(0, 2).map(chunk)]))
  })
  const bursts = sentBursts(
    scene.upstream.send(call({ model: 'm', kind: 'text', stream: true }), startAttempt('m')),
  )
  const reader = bursts[Symbol.asyncIterator]()
  expect((await reader.next()).value).toHaveLength(2)
  scene.server.requests[0]!.socket.write(
    Buffer.concat([...events.slice(2).map(chunk), Buffer.from(lastChunk)]),
  )
  expect((await reader.next()).value).toHaveLength(2)
  expect(await reader.next()).toEqual({ done: true, value: undefined })
})

test('a connection is used again after a stream, whether it says it is done or just ends', async () => {
  const streams = ['vllm-text.sse', 'baseten-no-done.sse', 'vllm-text.sse']
  await using scene = await stage((socket) => socket.write(streamed([fixture(streams.shift() ?? '')])), {
    concurrency: 1,
  })
  for (let turn = 0; turn < 3; turn++) await ask(scene.upstream, { kind: 'text', stream: true })
  expect(scene.server.connections).toBe(1)
})

test('a stream is over when the upstream says so, though its connection stays open', async () => {
  await using scene = await stage((socket) => socket.write(streamHead() + chunk(fixture('vllm-text.sse'))))
  expect((await ask(scene.upstream, { kind: 'text', stream: true })).flat()).toHaveLength(4)
})

test('a last event without the blank line that should close it is not lost', async () => {
  const stream = fixture('baseten-no-done.sse').trimEnd()
  await using scene = await stage((socket) => socket.write(streamed([stream])))
  expect((await ask(scene.upstream, { stream: true })).flat()).toHaveLength(2)
})

test('what comes before the break of a stream is given before the failure', async () => {
  await using scene = await stage((socket) => socket.write(streamed([fixture('cut-in-event.sse')])))
  const deltas: RawDelta[] = []
  const reading = (async () => {
    const asked = call({ model: 'm', kind: 'text', stream: true })
    for await (const burst of sentBursts(scene.upstream.send(asked, startAttempt('m')))) deltas.push(...burst)
  })()
  expect(await failureOf(reading)).toMatchObject({ kind: 'interrupted', provider: 'up' })
  expect(deltas).toHaveLength(1)
})

test('an event without end is refused, and its connection dropped', async () => {
  await using scene = await stage((socket) => {
    socket.write(streamHead())
    for (let piece = 0; piece < 20; piece++) socket.write(chunk('x'.repeat(64 * 1024)))
  })
  expect(await failureOf(ask(scene.upstream, { stream: true }))).toMatchObject({ kind: 'invalid_response' })
  await scene.server.idle()
})

test('a reader who stops has the connection dropped, unless it is about to end', async () => {
  await using scene = await stage((socket) => {
    socket.write(streamHead())
    socket.write(chunk('data: {"choices":[]}\n\n'))
  })
  for await (const _ of sentBursts(
    scene.upstream.send(call({ model: 'm', kind: 'chat', stream: true }), startAttempt('m')),
  ))
    break
  scene.server.requests[0]!.socket.write(chunk('data: {"choices":[]}\n\n'))
  await scene.server.idle()
})

test('a bad key names its setting to the operator', async () => {
  await using scene = await stage(
    (socket) => socket.write(answer('{"error":"sk-own-key"}', { status: 401 })),
    {
      apiKey: 'sk-own-key',
    },
  )
  expect(await failureOf(ask(scene.upstream))).toMatchObject({
    kind: 'upstream_auth',
    operatorNote: 'providers.up.apiKey',
    message: expect.not.stringContaining('sk-own-key'),
  })
})

test('a redirect is an error, and is not followed', async () => {
  const headers = { location: 'http://169.254.169.254/latest' }
  await using scene = await stage((socket) => socket.write(answer('', { status: 308, headers })))
  expect(await failureOf(ask(scene.upstream))).toMatchObject({ kind: 'upstream_error', upstreamStatus: 308 })
  expect(scene.server.requests).toHaveLength(1)
})
