import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { runpod } from '../../../src/providers/runpod/runpod.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call, tell } from '../../harness/core/simulated-call.ts'
import { answer } from '../../harness/raw-server.ts'
import { failureOf } from '../../harness/wire.ts'
import { answering, operationsAt, stage } from './harness.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/runpod/${name}`, import.meta.url), 'utf8')

const reply = JSON.parse(fixture('text-reply.json'))
const asked = call({ model: 'some-model' })
const streamed = call({ model: 'some-model', stream: true })
const waiting = { id: 'job-1', status: 'IN_PROGRESS' }
const done = { id: 'job-1', status: 'COMPLETED', executionTime: 7 }
const busy = answer('{"error":"Too many requests"}', { status: 429 })
const gone = answer('{"error":"job not found"}', { status: 404 })

test('settings have their defaults', () => {
  expect(runpod.settings.parse({ endpointId: 'ep1' })).toEqual({
    clocks: { connectMs: 5000, firstTokenMs: 300_000, idleMs: 30_000, totalMs: 600_000 },
    ...{ retries: 1, retryDelayMs: 200, concurrency: 128, queueMs: 10_000, queueLimit: 1000 },
    onAbort: 'cancel',
    billing: { stopsOnAbort: false },
    ...{
      catalogUrl: 'https://api.runpod.io/v2',
      baseUrl: 'https://api.runpod.ai/v2',
      endpointId: 'ep1',
      mode: 'openai',
      worker: 'vllm',
    },
    ...{ loadBalancer: false, waitMs: 10_000, models: [] },
  })
})

test.for([
  {},
  { endpointId: '' },
  { endpointId: '../x' },
  { endpointId: 'ep1', waitMs: 999 },
  { endpointId: 'ep1', mode: 'jobs', loadBalancer: true },
  { endpointId: 'ep1', mode: 'job' },
])('settings %j are refused', (input) => {
  expect(runpod.settings.safeParse(input).success).toBe(false)
})

describe('a job', () => {
  test('that is over in time takes one request', async () => {
    await using scene = await stage(answering({ runsync: [{ ...done, output: [reply] }] }), { waitMs: 2500 })
    expect(await tell(scene.upstream, asked)).toMatchObject({ text: 'one two', failure: undefined })
    const [request] = scene.server.requests
    expect(request).toMatchObject({
      ...{ method: 'POST', path: '/v2/ep1/runsync?wait=2500' },
      headers: { authorization: 'Bearer rpa_own_key', 'content-type': 'application/json' },
    })
    expect(scene.server.requests).toHaveLength(1)
  })

  test('is looked at again while the upstream limits the rate of looks', async () => {
    await using scene = await stage(
      answering({ runsync: [waiting], status: [busy, { ...done, output: reply }] }),
    )
    expect(await tell(scene.upstream, asked)).toMatchObject({ text: 'one two', failure: undefined })
  })

  test('that the upstream no longer knows is a failure', async () => {
    await using scene = await stage(answering({ runsync: [waiting], status: [gone], cancel: [{}] }))
    const { failure } = await tell(scene.upstream, asked)
    expect(failure).toMatchObject({ kind: 'upstream_error', upstreamStatus: 404, provider: 'up' })
  })

  test.for([asked, streamed])('that fails is billed for its time', async (one) => {
    const failed = { ...done, status: 'FAILED', error: fixture('error-python.txt') }
    await using scene = await stage(
      answering({
        runsync: [failed],
        run: [waiting],
        stream: [{ ...waiting, status: 'FAILED', stream: [] }],
        status: [failed],
      }),
    )
    const attempt = startAttempt('some-model')
    const { failure } = await tell(scene.upstream, one, attempt)
    expect(failure).toMatchObject({ kind: 'context_length', upstreamStatus: 400 })
    expect(attempt.notes).toMatchObject({ billedMs: 7, upstreamStatus: 200 })
    expect(operationsAt(scene.server)).not.toContain('cancel')
  })

  test('that is refused with the error of a worker is understood', async () => {
    const body = JSON.stringify({ id: 'job-1', status: 'FAILED', error: fixture('error-exception.json') })
    await using scene = await stage(answering({ runsync: [answer(body, { status: 400 })] }))
    const { failure } = await tell(scene.upstream, asked)
    expect(failure).toMatchObject({ kind: 'rejected', message: 'The engine died.' })
  })
})

describe('a stream', () => {
  const text = fixture('text.sse')
  const [first, second] = [text.slice(0, 150), text.slice(150)]

  test('is reported as it comes', async () => {
    await using scene = await stage(
      answering({
        run: [waiting],
        stream: [{ ...waiting, stream: [{ output: text.slice(0, 200) }] }],
        cancel: [{}],
      }),
    )
    const bursts = scene.upstream.send(streamed, startAttempt('some-model'))
    if ('then' in bursts) throw new Error('It did not stream.')
    // The second look is never needed: the first piece is handed on before.
    for await (const burst of bursts) {
      expect(burst.map(({ value }) => value)).toMatchObject([{ choices: [{ text: 'one' }] }])
      break
    }
    expect((await scene.server.arrival(3)).path).toBe('/v2/ep1/cancel/job-1')
  })

  test('may be reported in plain lists', async () => {
    await using scene = await stage(
      answering({
        run: [waiting],
        stream: [[{ output: first }], [], [{ output: second }], []],
        status: [waiting, done],
      }),
    )
    expect(await tell(scene.upstream, streamed)).toMatchObject({ text: 'one two', failure: undefined })
    expect(operationsAt(scene.server)).toEqual([
      'run',
      'stream',
      'stream',
      'status',
      'stream',
      'stream',
      'status',
      'stream',
    ])
  })

  test('of a worker that does not stream is its whole output', async () => {
    await using scene = await stage(
      answering({
        run: [waiting],
        stream: [{ ...done, stream: [] }],
        status: [{ ...done, output: [reply] }],
      }),
    )
    expect(await tell(scene.upstream, streamed)).toMatchObject({ text: 'one two', failure: undefined })
  })

  test('that is whole is not lost over its bill', async () => {
    await using scene = await stage(
      answering({
        run: [waiting],
        stream: [
          { ...waiting, stream: [{ output: text }] },
          { id: 'job-1', status: 'COMPLETED', stream: [] },
        ],
        status: [gone],
      }),
    )
    const attempt = startAttempt('some-model')
    expect(await tell(scene.upstream, streamed, attempt)).toMatchObject({
      text: 'one two',
      failure: undefined,
    })
    expect(attempt.notes.billedMs).toBeUndefined()
  })

  test('that is whole waits for its bill no longer than five seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      // The question for the bill is met with silence.
      const stream = [
        { id: 'job-1', status: 'COMPLETED', stream: [{ output: text }] },
        { ...done, executionTime: undefined, stream: [] },
      ]
      await using scene = await stage(answering({ run: [waiting], stream }))
      const told = tell(scene.upstream, streamed)
      await scene.server.arrival(4)
      vi.advanceTimersByTime(5000)
      expect(await told).toMatchObject({ text: 'one two', failure: undefined })
    } finally {
      vi.useRealTimers()
    }
  })

  test('that ends without its end is interrupted', async () => {
    await using scene = await stage(
      answering({
        run: [waiting],
        stream: [
          { ...waiting, stream: [{ output: first }] },
          { ...done, stream: [] },
        ],
      }),
    )
    expect((await tell(scene.upstream, streamed)).failure).toMatchObject({ kind: 'interrupted' })
  })

  test('that fails half way tells what came, then the failure', async () => {
    await using scene = await stage(
      answering({
        run: [waiting],
        stream: [
          { ...waiting, stream: [{ output: text.slice(0, 200) }] },
          { ...done, status: 'FAILED', stream: [], error: 'job timed out after 1 retries' },
        ],
      }),
    )
    expect(await tell(scene.upstream, streamed)).toMatchObject({ text: 'one', failure: { kind: 'timeout' } })
  })

  test('with a character cut in two is noted', async () => {
    const torn = text.replace('one', '\ufffd\ufffd')
    const at = torn.indexOf('\ufffd') + 1
    const stream = [
      { ...waiting, stream: [{ output: torn.slice(0, at) }, { output: torn.slice(at) }] },
      { ...done, stream: [] },
    ]
    await using scene = await stage(answering({ run: [waiting], stream }))
    const attempt = startAttempt('some-model')
    await tell(scene.upstream, streamed, attempt)
    expect(attempt.notes.converted).toEqual(['characters that the worker split to U+FFFD'])
  })
})

describe('on the OpenAI path', () => {
  test.for([
    [{ id: 'job-1', status: 'FAILED', error: 'job timed out after 1 retries' }, 'timeout'],
    [
      {
        id: 'job-1',
        status: 'FAILED',
        error: fixture('error-python.txt').replace('maximum context length', 'patience'),
      },
      'rejected',
    ],
    [{ id: 'job-1', status: 'FAILED', error: fixture('error-handler.txt') }, 'upstream_error'],
    [{ err: 'api', traceback: 'Traceback (most recent call last):' }, 'invalid_response'],
    [{ id: 'job-1', status: 'IN_QUEUE' }, 'invalid_response'],
  ] as const)('%j is no answer', async ([body, kind]) => {
    for (const one of [asked, streamed]) {
      await using scene = await stage(answering({ openai: [body] }), { mode: 'openai' })
      const { failure } = await tell(scene.upstream, one)
      expect(failure).toMatchObject({ kind })
      expect(failure?.message).not.toMatch(/Traceback|handler/)
    }
  })

  test('a worker behind the load balancer is asked directly', async () => {
    await using scene = await stage((socket) => socket.write(answer(fixture('text-reply.json'))), {
      mode: 'openai',
      loadBalancer: true,
    })
    expect(await tell(scene.upstream, asked)).toMatchObject({ text: 'one two' })
    expect(scene.server.requests[0]?.path).toBe('/v2/v1/completions')
  })
})

describe('its health', () => {
  const health = (inQueue: number, workers: object) => ({ jobs: { completed: 1, inQueue }, workers })

  test.for([
    [
      health(2, { idle: 0, initializing: 0, ready: 0, running: 0, throttled: 1 }),
      { isReady: false, queued: 2, idleWorkers: 0, busyWorkers: 0 },
    ],
    [health(0, { idle: 0, running: 0 }), { isReady: false, queued: 0, idleWorkers: 0, busyWorkers: 0 }],
    [
      health(1, { idle: 0, initializing: 1, running: 0 }),
      { isReady: false, queued: 1, idleWorkers: 0, busyWorkers: 0 },
    ],
    [health(1, { idle: 0, running: 3 }), { isReady: true, queued: 1, idleWorkers: 0, busyWorkers: 3 }],
    [health(0, { idle: 1, running: 0 }), { isReady: true, queued: 0, idleWorkers: 1, busyWorkers: 0 }],
  ] as const)('is read from %j', async ([body, expected]) => {
    for (const mode of ['jobs', 'openai']) {
      await using scene = await stage(answering({ health: [body] }), { mode })
      expect(await scene.upstream.health?.(new AbortController().signal)).toEqual(expected)
      expect(scene.server.requests[0]).toMatchObject({ method: 'GET', path: '/v2/ep1/health' })
    }
  })

  test.for([
    [answer('{"error":"No."}', { status: 401 }), 'upstream_auth'],
    [answer('{}'), 'invalid_response'],
    [answer('nothing'), 'invalid_response'],
  ] as const)('is not told by %s', async ([body, kind]) => {
    await using scene = await stage(answering({ health: [body] }))
    const failure = await failureOf(Promise.resolve(scene.upstream.health?.(new AbortController().signal)))
    expect(failure).toMatchObject({ kind, provider: 'up' })
  })

  test.for([
    [200, true],
    [204, false],
  ] as const)('behind the load balancer, status %s, is ready: %s', async ([status, isReady]) => {
    await using scene = await stage(
      (socket) =>
        socket.write(answer('', { status, headers: status === 204 ? { 'content-length': '0' } : {} })),
      { mode: 'openai', loadBalancer: true },
    )
    expect(await scene.upstream.health?.(new AbortController().signal)).toEqual({ isReady })
    expect(scene.server.requests[0]?.path).toBe('/v2/ping')
  })

  test.for([
    [{ mode: 'openai', loadBalancer: true }, true],
    [{ mode: 'openai' }, false],
    [{ mode: 'jobs' }, false],
  ] as const)('of %j wakes a worker to tell: %s', async ([input, isWaking]) => {
    await using scene = await stage(answering({}), input)
    expect(scene.upstream.healthWakes ?? false).toBe(isWaking)
  })
})
