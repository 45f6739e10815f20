import { expect, test } from 'vitest'
import type { Upstream } from '../../../src/core/model/ports.ts'
import { pandotate } from '../../../src/providers/pandotate/pandotate.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call } from '../../harness/core/simulated-call.ts'
import { answer, type Behaviour, type RawServer, startRawServer } from '../../harness/raw-server.ts'
import { sentBursts } from '../../harness/sent.ts'
import { tools } from '../../harness/tools.ts'
import { failureOf } from '../../harness/wire.ts'

type Scene = AsyncDisposable & { readonly server: RawServer; readonly upstream: Upstream }

async function stage(behave: Behaviour, input: object = {}, name = 'pandotate'): Promise<Scene> {
  const server = await startRawServer(behave)
  const settings = pandotate.settings.parse({ url: `${server.origin}/api/inference`, ...input })
  const upstream = pandotate.create(name, settings, tools)
  return {
    server,
    upstream,
    async [Symbol.asyncDispose]() {
      await upstream.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

const asked = { model: 'mistral-7b', body: { model: 'mistral-7b', prompt: 'Hi' } }

function ask(upstream: Upstream, more: object = {}) {
  return Array.fromAsync(sentBursts(upstream.send(call({ ...asked, ...more }), startAttempt('mistral-7b'))))
}

const answers: Behaviour = (socket) =>
  socket.write(answer('{"model":"mistral-7b","output":"Hello.","tokens":2,"completion_tokens":3}'))

const refuses =
  (status: number): Behaviour =>
  (socket) =>
    socket.write(answer('{"error":"Invalid API key pk_secret_key"}', { status }))

test('settings have their defaults', () => {
  expect(pandotate.settings.parse({})).toEqual({
    url: 'https://api.pandotate.com/api/inference',
    clocks: { connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 30_000 },
    retries: 1,
    retryDelayMs: 200,
    concurrency: 128,
    queueMs: 10_000,
    queueLimit: 1000,
    onAbort: 'cancel',
    billing: { stopsOnAbort: false },
    promptFormat: 'auto',
    bos: false,
  })
})

test('the total clock is the clock of the first token too, for the answer comes in one piece', async () => {
  await using scene = await stage(answers, { clocks: { totalMs: 60_000, firstTokenMs: 10 } })
  expect(scene.upstream.clocks).toMatchObject({ firstTokenMs: 60_000, totalMs: 60_000 })
})

test.for([
  { url: 'ftp://a/b' },
  { url: 'https://user@a/b' },
  { apiKey: 'two words' },
  { promptFormat: 'alpaca' },
  { keyless: 'yes' },
  { model: 'x' },
])('%j is refused', (input) => {
  expect(pandotate.settings.safeParse(input).success).toBe(false)
})

test('one prompt goes to the one address, and its answer is one whole reply', async () => {
  await using scene = await stage(answers, { apiKey: 'pk_ours' })
  const bursts = await ask(scene.upstream, { stream: true })
  expect(bursts).toEqual([
    [
      {
        object: 'text_completion',
        model: 'mistral-7b',
        choices: [{ index: 0, text: 'Hello.', logprobs: null, finish_reason: 'stop' }],
        usage: { prompt_tokens: 2, completion_tokens: 3 },
      },
    ],
  ])
  expect(scene.server.requests).toMatchObject([
    { method: 'POST', path: '/api/inference', body: '{"model":"mistral-7b","prompt":"Hi"}' },
  ])
})

test('the address is used as it stands, query and slash', async () => {
  await using server = await startRawServer(answers)
  const upstream = pandotate.create('p', pandotate.settings.parse({ url: `${server.origin}/a/?v=2` }), tools)
  await ask(upstream)
  expect(server.requests[0]?.path).toBe('/a/?v=2')
  await upstream.close()
})

const ours = 'Bearer pk_ours'
const callers = 'Bearer pk_callers'

test.for([
  ['our own key', { apiKey: 'pk_ours' }, undefined, true, ours],
  ['our own key, though the caller has one', { apiKey: 'pk_ours' }, 'pk_callers', true, ours],
  ["the caller's key", { keyless: false }, 'pk_callers', true, callers],
  ["the caller's key, though none is needed", { keyless: true }, 'pk_callers', true, callers],
  ['no key, for none is needed', { keyless: true }, undefined, true, undefined],
  ['no key, for the caller has one of somebody else', { keyless: true }, 'sk-other', true, undefined],
  ['no key, for the address is not the default', {}, undefined, true, undefined],
] as const)('a call goes out with %s', async ([, settings, credential, isAdmitted, authorization]) => {
  await using scene = await stage(answers, settings)
  expect(scene.upstream.admits(credential)).toBe(isAdmitted)
  await ask(scene.upstream, { credential })
  expect(scene.server.requests[0]?.headers['authorization']).toBe(authorization)
})

test.for([
  [{}, undefined, false],
  [{}, 'sk-other', false],
  [{}, '', false],
  [{}, 'pk_callers', true],
  [{ apiKey: 'pk_ours' }, undefined, true],
  [{ keyless: true }, undefined, true],
  [{ keyless: false, url: 'http://a/b' }, undefined, false],
] as const)('settings %j with the credential %s admit: %s', async ([settings, credential, isAdmitted]) => {
  const upstream = pandotate.create('pandotate', pandotate.settings.parse(settings), tools)
  expect(upstream.admits(credential)).toBe(isAdmitted)
  await upstream.close()
})

test.for([401, 403])(
  'a bad key of ours (%i) is told to the operator by the name of its setting',
  async (status) => {
    await using scene = await stage(refuses(status), { apiKey: 'pk_secret_key' })
    const failure = await failureOf(ask(scene.upstream, { credential: 'pk_callers' }))
    expect(failure).toMatchObject({ kind: 'upstream_auth', status: 502, operatorNote: 'PANDOTATE_API_KEY' })
    expect(failure.message).not.toContain('pk_')
  },
)

test('under another name, it is the setting of that name', async () => {
  await using scene = await stage(refuses(401), { apiKey: 'pk_secret_key' }, 'second')
  expect(await failureOf(ask(scene.upstream))).toMatchObject({ operatorNote: 'providers.second.apiKey' })
})

test("a bad key of the caller's is told to the caller", async () => {
  await using scene = await stage(refuses(401))
  const failure = await failureOf(ask(scene.upstream, { credential: 'pk_secret_key' }))
  expect(failure).toMatchObject({ kind: 'unauthorized', status: 401, code: 'invalid_api_key' })
  expect(failure.message).not.toContain('pk_')
})

test('a key that is missing is told to the operator', async () => {
  await using scene = await stage(refuses(401))
  expect(await failureOf(ask(scene.upstream))).toMatchObject({
    kind: 'upstream_auth',
    operatorNote: expect.stringContaining('PANDOTATE_API_KEY is not set'),
  })
})

test('what cannot be done is refused before anything is sent', async () => {
  await using scene = await stage(answers)
  const body = { ...asked.body, suffix: 'end' }
  expect(await failureOf(ask(scene.upstream, { body }))).toMatchObject({
    kind: 'unsupported',
    param: 'suffix',
  })
  expect(scene.server.connections).toBe(0)
})

test.for([
  ['text', 521, 'error code: 521', 'upstream_error'],
  ['a page', 503, '<html></html>', 'overloaded'],
  ['nothing', 429, '', 'rate_limited'],
] as const)('an error with %s for a body is what its status (%i) says', async ([, status, body, kind]) => {
  await using scene = await stage((socket) => socket.write(answer(body, { status })))
  expect(await failureOf(ask(scene.upstream))).toMatchObject({ kind, upstreamStatus: status })
})

test('an answer of any length the limit allows is read whole', async () => {
  const output = 'word '.repeat(1_000_000)
  await using scene = await stage((socket) => socket.write(answer(JSON.stringify({ output }))))
  const [burst] = await ask(scene.upstream)
  expect(burst?.[0]?.value['choices']).toMatchObject([{ text: output }])
})
