import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { Failure, type FailureKind } from '../../../src/core/model/failure.ts'
import type { Upstream } from '../../../src/core/model/ports.ts'
import { unknownPrice } from '../../../src/core/model/price.ts'
import { oneChoiceOf } from '../../../src/providers/base/common-settings.ts'
import { readModels } from '../../../src/providers/openai/models.ts'
import { createOpenAiCompatible } from '../../../src/providers/openai/openai-compatible.ts'
import type { Quirks } from '../../../src/providers/openai/quirks.ts'
import { answer, type Behaviour, type RawServer, startRawServer } from '../../harness/raw-server.ts'
import { tools } from '../../harness/tools.ts'
import { failureOf } from '../../harness/wire.ts'

type Scene = AsyncDisposable & { readonly server: RawServer; readonly upstream: Upstream }

async function stage(behave: Behaviour, quirks: Quirks, path = '/v1', concurrency = 2): Promise<Scene> {
  const server = await startRawServer(behave)
  const bounds = {
    clocks: { connectMs: 1000, firstTokenMs: 1000, idleMs: 1000, totalMs: 1000 },
    ...{ retries: 0, retryDelayMs: 0, concurrency, queueMs: 1000, queueLimit: 10 },
  }
  const own = { apiKey: 'sk-own', headers: { 'x-team': 'a' }, oneChoice: oneChoiceOf(false), models: [] }
  const settings = { ...bounds, ...own, baseUrl: `${server.origin}${path}` }
  const upstream = createOpenAiCompatible('up', settings, tools, quirks)
  return {
    server,
    upstream,
    async [Symbol.asyncDispose]() {
      await upstream.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

const asked: Quirks = { modelsOf: readModels, healthPath: '/health' }

function questions({ upstream }: Scene, signal: AbortSignal): readonly Promise<unknown>[] {
  if (upstream.listModels === undefined || upstream.health === undefined) throw new Error('cannot be asked')
  return [upstream.listModels(signal), upstream.health(signal)]
}

test('what a server has nothing for, it is not asked', async () => {
  await using scene = await stage(() => undefined, {})
  expect(scene.upstream).not.toHaveProperty('listModels')
  expect(scene.upstream).not.toHaveProperty('health')
})

test.for([
  ['/v1', '/v1/models', '/health'],
  ['/v1/', '/v1/models', '/health'],
  ['/vllm/v1', '/vllm/v1/models', '/vllm/health'],
  ['', '/models', '/health'],
  ['/v1?api-version=7', '/v1/models?api-version=7', '/health'],
])('at …%s the models are at %s, the health at %s, asked with the key', async ([path, models, health]) => {
  await using scene = await stage((socket) => socket.write(answer('{"data":[]}')), asked, path)
  await scene.upstream.listModels?.(new AbortController().signal)
  await scene.upstream.health?.(new AbortController().signal)
  expect(scene.server.requests).toMatchObject([
    { method: 'GET', path: models, body: '', headers: { authorization: 'Bearer sk-own', 'x-team': 'a' } },
    { method: 'GET', path: health, body: '', headers: { authorization: 'Bearer sk-own', 'x-team': 'a' } },
  ])
})

test('the models are reported as they are listed', async () => {
  const list = '{"object":"list","data":[{"id":"a","max_model_len":4096},{"id":"b"}]}'
  await using scene = await stage((socket) => socket.write(answer(list)), asked)
  expect(await scene.upstream.listModels?.(new AbortController().signal)).toEqual([
    { id: 'a', contextTokens: 4096, price: unknownPrice },
    { id: 'b', contextTokens: undefined, price: unknownPrice },
  ])
})

test.for([
  [200, '', true],
  [200, '{"status":"ok"}', true],
  [204, '', true],
  [503, '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}', false],
  [503, '{"error":"unhealthy","error_type":"healthcheck"}', false],
] as const)('health with status %s and %j is ready: %s', async ([status, body, isReady]) => {
  await using scene = await stage((socket) => socket.write(answer(body, { status })), asked)
  expect(await scene.upstream.health?.(new AbortController().signal)).toEqual({ isReady })
})

test('a connection serves the next question', async () => {
  await using scene = await stage((socket) => socket.write(answer('{"data":[]}')), asked, '/v1', 1)
  for (let turn = 0; turn < 3; turn++) {
    await scene.upstream.health?.(new AbortController().signal)
    await scene.upstream.listModels?.(new AbortController().signal)
  }
  expect(scene.server.connections).toBe(1)
})

const refusals: readonly (readonly [status: number, kind: FailureKind])[] = [
  [401, 'upstream_auth'],
  [429, 'rate_limited'],
  [500, 'upstream_error'],
]

test.for(refusals)('an answer of %s is %s, whatever was asked', async ([status, kind]) => {
  await using scene = await stage((socket) => socket.write(answer('{"error":"sk-own"}', { status })), asked)
  for (const question of questions(scene, new AbortController().signal)) {
    expect(await failureOf(question)).toMatchObject({
      ...{ kind, provider: 'up', upstreamStatus: status },
      message: expect.not.stringContaining('sk-own'),
    })
  }
})

test.for(['<html></html>', '', '{"data":', '{}', '{"data":{}}', 'null'])(
  '%j lists no models',
  async (body) => {
    await using scene = await stage((socket) => socket.write(answer(body)), asked)
    const listing = scene.upstream.listModels?.(new AbortController().signal) ?? Promise.resolve()
    expect(await failureOf(listing)).toMatchObject({ kind: 'invalid_response', provider: 'up' })
  },
)

test('anyone who asks may leave, before and while it is silent', async () => {
  await using scene = await stage(() => undefined, asked)
  const leaving = new Failure('caller_left', 'The caller left.')
  for (const question of questions(scene, AbortSignal.abort(leaving))) {
    expect(await failureOf(question)).toBe(leaving)
  }
  const controller = new AbortController()
  const asking = questions(scene, controller.signal)
  await scene.server.arrival(2)
  controller.abort(leaving)
  for (const question of asking) expect(await failureOf(question)).toBe(leaving)
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  await scene.server.idle()
})
