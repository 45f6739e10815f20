import { getEventListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Failure, type FailureKind } from '../../../src/core/model/failure.ts'
import { describeProvider, overSockets } from '../../contracts/provider.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call, tell } from '../../harness/core/simulated-call.ts'
import { answer, type Behaviour, startRawServer, streamed } from '../../harness/raw-server.ts'
import { answering, operationOf, operationsAt, runpodAt, stage } from './harness.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/runpod/${name}`, import.meta.url), 'utf8')

describeProvider(
  overSockets('runpod by its OpenAI path', (origin) => runpodAt(origin, { mode: 'openai' }), {
    say: (body, contentType) => answer(body, { headers: { 'content-type': contentType } }),
    refuse: (status, headers) => answer('{"error":"No."}', { status, headers }),
    answer({ path, body }) {
      const kind = path === '/v2/ep1/openai/v1/chat/completions' ? 'chat' : 'text'
      const { stream } = JSON.parse(body)
      return stream
        ? streamed(fixture(`${kind}.sse`).split(/(?<=\n\n)/))
        : answer(fixture(`${kind}-reply.json`))
    },
  }),
)

// The suite wants one request for each answer. A job takes several (its creation, looks at it, its cancellation),
// so the same situations are met here, with the requests that a job takes.
describe.for([
  ['text', false],
  ['text', true],
  ['chat', false],
  ['chat', true],
] as const)('runpod by its job API, %s, stream %s', ([kind, stream]) => {
  const asked = call({ model: 'some-model', kind, stream })
  const created = stream ? 'run' : 'runsync'
  const looked = stream ? 'stream' : 'status'
  const done = { id: 'job-1', status: 'COMPLETED', executionTime: 1437, delayTime: 31618 }
  const waiting = { id: 'job-1', status: 'IN_QUEUE' }
  const reply = JSON.parse(fixture(`${kind}-reply.json`))
  const pieces = [fixture(`${kind}.sse`).slice(0, 99), fixture(`${kind}.sse`).slice(99)]
  const answers = answering(
    stream
      ? {
          run: [waiting],
          stream: [
            { status: 'IN_QUEUE', stream: [] },
            { status: 'IN_PROGRESS', stream: [{ output: pieces[0] }] },
            { status: 'COMPLETED', stream: [{ output: pieces[1] }] },
            { status: 'COMPLETED', stream: [] },
          ],
          status: [done],
        }
      : {
          runsync: [waiting],
          status: [
            { ...waiting, status: 'IN_PROGRESS' },
            { ...done, output: [reply] },
          ],
        },
  )

  test('answers, tells what is billed, and leaves nothing behind', async () => {
    await using scene = await stage(answers)
    const attempt = startAttempt('some-model')
    const told = await tell(scene.upstream, asked, attempt)
    expect(told).toMatchObject({ text: 'one two', reason: 'stop', failure: undefined })
    expect(told.usage).toMatchObject({ prompt_tokens: 9, completion_tokens: 2 })
    expect(attempt.notes).toMatchObject({
      ...{ headersAt: expect.any(Number), upstreamStatus: 200 },
      ...{ upstreamRequestId: 'job-1', billedMs: 1437 },
    })
    expect(getEventListeners(attempt.signal, 'abort')).toHaveLength(0)
    expect(operationsAt(scene.server)).not.toContain('cancel')
    expect(scene.server.requests.map(({ headers }) => headers['x-request-id'])).toEqual(
      scene.server.requests.map(() => 'req_0-0'),
    )
  })

  const refuses =
    (status: number, headers: Record<string, string> = {}): Behaviour =>
    (socket) =>
      socket.write(answer('{"error":"No."}', { status, headers }))
  const says =
    (body: string, contentType: string): Behaviour =>
    (socket) =>
      socket.write(answer(body, { headers: { 'content-type': contentType } }))

  test.for<readonly [string, Behaviour, FailureKind, object]>([
    ['rejects the key', refuses(401), 'upstream_auth', { upstreamStatus: 401 }],
    ['knows no such endpoint', refuses(404), 'model_not_found', { upstreamStatus: 404 }],
    ['limits the rate', refuses(429, { 'retry-after': '7' }), 'rate_limited', { retryAfterMs: 7000 }],
    ['fails', refuses(500), 'upstream_error', { upstreamStatus: 500 }],
    ['is overloaded', refuses(503), 'overloaded', { upstreamStatus: 503 }],
    ['resets the connection', (socket) => socket.resetAndDestroy(), 'unreachable', {}],
    ['answers half a JSON', says('{"id":"job-1","sta', 'application/json'), 'invalid_response', {}],
    ['answers a page', says('<!DOCTYPE html>', 'text/html'), 'invalid_response', {}],
    ['answers an empty object', says('{}', 'application/json'), 'invalid_response', {}],
    ['does not name the job', says('{"status":"IN_QUEUE"}', 'application/json'), 'invalid_response', {}],
    ['breaks off', (socket) => socket.end(answer('{"id":"job-1"}').subarray(0, -4)), 'interrupted', {}],
  ])('an upstream that %s is reported once', async ([, behave, failureKind, detail]) => {
    await using scene = await stage(behave)
    const attempt = startAttempt('some-model')
    const told = await tell(scene.upstream, asked, attempt)
    expect(told.failure).toMatchObject({ kind: failureKind, provider: 'up', ...detail })
    expect(getEventListeners(attempt.signal, 'abort')).toHaveLength(0)
    expect(operationsAt(scene.server)).toEqual([created])
  })

  test('an upstream that is not there is unreachable', async () => {
    const server = await startRawServer(() => undefined)
    const upstream = runpodAt(server.origin)
    await server[Symbol.asyncDispose]()
    expect((await tell(upstream, asked)).failure).toMatchObject({ kind: 'unreachable', provider: 'up' })
    await upstream.close()
  })

  const leaving = new Failure('caller_left', 'The caller left.')

  test('a caller who leaves while the job runs is let go at once, and the job is cancelled', async () => {
    await using scene = await stage(answering({ [created]: [waiting], cancel: [{}] }))
    const attempt = startAttempt('some-model')
    const told = tell(scene.upstream, asked, attempt)
    // The look at the job is met with silence.
    expect(operationOf(await scene.server.arrival(2))).toBe(looked)
    attempt.controller.abort(leaving)
    expect((await told).failure).toBe(leaving)
    expect(await scene.server.arrival(3)).toMatchObject({ method: 'POST', path: '/v2/ep1/cancel/job-1' })
    expect(getEventListeners(attempt.signal, 'abort')).toHaveLength(0)
  })

  test('a caller who leaves before the job has a name is let go at once, and the job is cancelled', async () => {
    await using scene = await stage(answering({ cancel: [{}] }))
    const attempt = startAttempt('some-model')
    const told = tell(scene.upstream, asked, attempt)
    const { socket } = await scene.server.arrival(1)
    attempt.controller.abort(leaving)
    expect((await told).failure).toBe(leaving)
    expect(getEventListeners(attempt.signal, 'abort')).toHaveLength(0)
    socket.write(answer(JSON.stringify(waiting)))
    expect(await scene.server.arrival(2)).toMatchObject({ path: '/v2/ep1/cancel/job-1' })
  })

  test('a caller who has left already is not served', async () => {
    await using scene = await stage(answers)
    const attempt = startAttempt('some-model')
    attempt.controller.abort(leaving)
    expect((await tell(scene.upstream, asked, attempt)).failure).toBe(leaving)
    expect(scene.server.requests).toHaveLength(0)
  })

  test('a cancellation that is met with silence holds nobody up, and closing ends it', async () => {
    await using scene = await stage(answering({ [created]: [waiting] }))
    const attempt = startAttempt('some-model')
    const told = tell(scene.upstream, asked, attempt)
    await scene.server.arrival(2)
    attempt.controller.abort(leaving)
    expect((await told).failure).toBe(leaving)
    await scene.server.arrival(3)
    await scene.upstream.close()
    await scene.server.idle()
  })
})
