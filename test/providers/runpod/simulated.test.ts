import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import type { Upstream } from '../../../src/core/model/ports.ts'
import { costNanoUsd, unknownPrice } from '../../../src/core/model/price.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { type RunpodOptions, simulateRunpod } from '../../../src/simulator/runpod/runpod.ts'
import type { SimulatedServer } from '../../../src/simulator/server/simulated-server.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call, type Told, tell } from '../../harness/core/simulated-call.ts'
import { runpodAt } from './harness.ts'

const nanoUsdPerSecond = 190_000

type Scene = AsyncDisposable & { readonly fake: SimulatedServer; readonly upstream: Upstream }

async function stage(options: Partial<RunpodOptions> = {}, input: object = {}): Promise<Scene> {
  const fake = await simulateRunpod({
    host: '127.0.0.1',
    port: 0,
    key: 'rpa_own_key',
    nanoUsdPerSecond,
    ...options,
  })
  const upstream = runpodAt(fake.origin, input)
  return {
    fake,
    upstream,
    async [Symbol.asyncDispose]() {
      await upstream.close()
      await fake[Symbol.asyncDispose]()
    },
  }
}

const ways = ['openai', 'jobs'] as const
const calls: readonly (readonly [Kind, boolean])[] = [
  ['text', false],
  ['text', true],
  ['chat', false],
  ['chat', true],
]

const outcomes: readonly (readonly [model: string, expected: Partial<Told>])[] = [
  [
    'sim-echo',
    {
      text: 'one two',
      reason: 'stop',
      usage: { prompt_tokens: 2, completion_tokens: 2 },
      failure: undefined,
    },
  ],
  ['org/sim-echo', { text: 'one two', failure: undefined }],
  ['sim-long-300', { reason: 'stop', usage: { completion_tokens: 300 }, failure: undefined }],
  ['sim-length', { reason: 'length', usage: { completion_tokens: 16 } }],
  ['sim-nousage-echo', { text: 'one two', usage: undefined }],
  ['sim-slow-5-drip-1-echo', { text: 'one two', failure: undefined }],
  ['sim-status-401', { failure: { kind: 'upstream_auth', upstreamStatus: 401 } }],
  ['sim-ratelimit-2', { failure: { kind: 'rate_limited', retryAfterMs: 2000 } }],
  ['sim-status-404', { failure: { kind: 'model_not_found' } }],
  ['sim-status-400', { failure: { kind: 'rejected', message: 'Simulated status 400.' } }],
  ['sim-status-500', { failure: { kind: 'upstream_error', upstreamStatus: 500 } }],
  ['sim-flaky-1-echo', { failure: { kind: 'overloaded', upstreamStatus: 503 } }],
  ['sim-reset', { failure: { kind: 'unreachable' } }],
  ['sim-html', { failure: { kind: 'invalid_response' } }],
  ['sim-empty', { failure: { kind: 'invalid_response' } }],
  ['sim-badjson', { failure: { kind: 'invalid_response' } }],
  ['runpod-failed-plain', { failure: { kind: 'upstream_error' } }],
  ['runpod-failed-exception', { failure: { kind: 'upstream_error' } }],
  ['runpod-failed-handler', { failure: { kind: 'upstream_error' } }],
  [
    'runpod-failed-python',
    {
      failure: {
        kind: 'rejected',
        param: 'temperature',
        message: "The model doesn't take this: 'temperature' must be at most 2.",
      },
    },
  ],
  ['runpod-retried', { failure: { kind: 'timeout' } }],
  ['runpod-execution-timeout', { failure: { kind: 'timeout' } }],
]

describe.for(ways)('a simulated RunPod, mode %s', (mode) => {
  describe.for(calls)('%s, stream %s', ([kind, stream]) => {
    test.for(outcomes)('%s is understood', async ([model, expected]) => {
      await using scene = await stage({}, { mode })
      const told = await tell(scene.upstream, call({ model, kind, stream }))
      expect(told).toMatchObject(expected)
      expect(told.failure?.message ?? '').not.toMatch(/Traceback|hostname|worker0001|handler/)
    })

    test('calls a tool', async ({ skip }) => {
      if (kind === 'text') skip('a completion has no tools')
      await using scene = await stage({}, { mode })
      const tools = [
        { type: 'function', function: { name: 'weather', parameters: { properties: { city: {} } } } },
      ]
      const body = { messages: [{ role: 'user', content: 'Hi' }], tools }
      const told = await tell(scene.upstream, call({ model: 'sim-tools', kind, stream, body }))
      expect(told.reply?.choices[0]?.message?.tool_calls).toMatchObject([
        { function: { name: 'weather', arguments: '{"city":"x"}' } },
      ])
      expect(told.reason).toBe('tool_calls')
    })
  })
})

describe.for(calls)('by the job API, %s, stream %s', ([kind, stream]) => {
  const asked = (model: string) => call({ model, kind, stream })

  test('the bill agrees with the time that was told, to the nano-dollar', async () => {
    await using scene = await stage({ coldMs: 20 })
    for (const [number, model] of ['sim-slow-15-echo', 'sim-long-40', 'runpod-failed-python'].entries()) {
      const attempt = { ...startAttempt(model), id: `req_0-${number}` }
      await tell(scene.upstream, asked(model), attempt)
      const { billedMs } = attempt.notes
      const used = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, workedMs: billedMs }
      const line = scene.fake.bill()[number]
      expect(line).toMatchObject({ attempt: attempt.id, model, workedMs: billedMs })
      expect(line?.nanoUsd).toBe(costNanoUsd({ ...unknownPrice, nanoUsdPerSecond }, used))
      expect(line?.nanoUsd).toBeGreaterThan(0)
    }
    expect(scene.fake.bill()).toHaveLength(3)
  })

  test('a caller who leaves has the job cancelled, its worker freed and its time billed', async () => {
    await using scene = await stage({ workers: 1, longestWaitMs: 0 })
    const leaving = new Failure('caller_left', 'The caller left.')
    const attempt = startAttempt('sim-stall-1')
    const told = tell(scene.upstream, asked('sim-stall-1'), attempt)
    await until(scene, (path) => /\/(?:status|stream)\//.test(path))
    attempt.controller.abort(leaving)
    expect((await told).failure).toBe(leaving)
    await until(scene, (path) => path.includes('/cancel/'))
    expect(await tell(scene.upstream, asked('sim-echo'))).toMatchObject({
      text: 'one two',
      failure: undefined,
    })
    expect(scene.fake.bill().map(({ model }) => model)).toEqual(['sim-stall-1', 'sim-echo'])
  })

  test('a job that outlasts the wait is asked after', async () => {
    await using scene = await stage({ longestWaitMs: 0, coldMs: 20 })
    expect(await tell(scene.upstream, asked('sim-echo'))).toMatchObject({
      text: 'one two',
      failure: undefined,
    })
    expect(paths(scene)[1]).toMatch(stream ? /\/stream\// : /\/status\//)
  })

  test('a worker that vanishes fails the job', async () => {
    await using scene = await stage()
    const told = await tell(scene.upstream, asked('sim-cut-1-echo'))
    expect(told).toMatchObject({ text: stream ? 'one' : '', failure: { kind: 'timeout' } })
  })

  test.for([
    ['runpod-timed-out', 'timeout'],
    ['runpod-cancelled', 'upstream_error'],
    ['runpod-no-output', 'invalid_response'],
  ] as const)('%s is %s', async ([model, failureKind]) => {
    await using scene = await stage()
    expect((await tell(scene.upstream, asked(model))).failure?.kind).toBe(failureKind)
  })

  test('a job that is not kept is a failure', async () => {
    await using scene = await stage({ longestWaitMs: 0, keptMs: 0, coldMs: 30 })
    const { failure } = await tell(scene.upstream, asked('sim-echo'))
    expect(failure).toMatchObject({ kind: 'upstream_error', upstreamStatus: 404 })
  })

  test.for(['old', 'oldest'] as const)('the %s worker is understood', async (generation) => {
    await using scene = await stage({ generation, model: 'sim-long-150' }, { worker: 'vllm-old' })
    const told = await tell(scene.upstream, asked('org/any'))
    // Nobody asked for a bound: the worker has its own, and the answer says that it was reached.
    expect(told).toMatchObject({ reason: 'length', usage: { prompt_tokens: 2, completion_tokens: 100 } })
    expect(told.text.split(' ')).toHaveLength(100)
  })

  test.for(['plain', 'exception', 'handler', 'python'] as const)(
    'the old worker fails in the form %s',
    async (errorForm) => {
      await using scene = await stage(
        { generation: 'old', model: 'sim-status-400', errorForm },
        { worker: 'vllm-old' },
      )
      const { failure } = await tell(scene.upstream, asked('org/any'))
      expect(failure?.kind).toBe(errorForm === 'python' ? 'rejected' : 'upstream_error')
    },
  )

  test('any worker is asked with the request itself', async () => {
    await using scene = await stage({}, { worker: 'any' })
    expect(await tell(scene.upstream, asked('sim-echo'))).toMatchObject({
      text: 'one two',
      failure: undefined,
    })
  })
})

describe('fragments cut by the byte', () => {
  test.for([1, 7, 100_000])('of %s bytes are joined again', async (fragmentBytes) => {
    await using scene = await stage({ fragmentBytes })
    expect(await tell(scene.upstream, call({ model: 'sim-echo', stream: true }))).toMatchObject({
      text: 'one two',
    })
  })

  test('lose a character that was cut in two, and the record says so', async () => {
    await using scene = await stage({ fragmentBytes: 1 })
    const attempt = startAttempt('sim-echo')
    const told = await tell(
      scene.upstream,
      call({ model: 'sim-echo', stream: true, body: { prompt: 'é two' } }),
      attempt,
    )
    expect(told.text).toBe('\ufffd\ufffd two')
    expect(attempt.notes.converted).toEqual(['characters that the worker split to U+FFFD'])
  })
})

test('a failed job on the OpenAI path that is garbage is no answer', async () => {
  await using scene = await stage({}, { mode: 'openai' })
  const { failure } = await tell(scene.upstream, call({ model: 'runpod-garbage' }))
  expect(failure).toMatchObject({ kind: 'invalid_response', provider: 'up' })
})

test('health tells of an endpoint that is scaled to zero, then of its workers', async () => {
  await using scene = await stage({ workers: 2 })
  const { signal } = new AbortController()
  expect(await scene.upstream.health?.(signal)).toEqual({
    isReady: false,
    queued: 0,
    idleWorkers: 0,
    busyWorkers: 0,
  })
  await tell(scene.upstream, call({ model: 'sim-echo' }))
  expect(await scene.upstream.health?.(signal)).toEqual({
    isReady: true,
    queued: 0,
    idleWorkers: 1,
    busyWorkers: 0,
  })
})

function paths({ fake }: Scene): readonly string[] {
  return fake.requests.map(({ path }) => path)
}

/** Turns of the event loop until a request has come; the test's own time limit ends a wait without success. */
async function until(scene: Scene, isIt: (path: string) => boolean): Promise<void> {
  while (!paths(scene).some(isIt)) await setImmediate()
}
