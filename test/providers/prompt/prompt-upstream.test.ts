import { describe, expect, test } from 'vitest'
import type { Call } from '../../../src/core/model/call.ts'
import type { Upstream } from '../../../src/core/model/ports.ts'
import type { PromptFormat } from '../../../src/providers/prompt/prompt-format.ts'
import { createPromptUpstream } from '../../../src/providers/prompt/prompt-upstream.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call, tell } from '../../harness/core/simulated-call.ts'
import { answer, type Behaviour, type RawServer, startRawServer, streamed } from '../../harness/raw-server.ts'
import { tools } from '../../harness/tools.ts'

const format: PromptFormat = {
  fields: ['temperature', 'stop'],
  renames: { max_tokens: 'most' },
  request: (prompt, fields, stream) => ({ input: prompt, ...fields, stream }),
  read: ({ out, end }) => ({ text: out, finish: typeof end === 'string' ? end : undefined }),
}

type Scene = AsyncDisposable & { readonly server: RawServer; readonly upstream: Upstream }

async function stage(behave: Behaviour, apiKey?: string): Promise<Scene> {
  const server = await startRawServer(behave)
  const settings = {
    clocks: { connectMs: 1000, firstTokenMs: 1000, idleMs: 1000, totalMs: 1000 },
    ...{
      retries: 0,
      retryDelayMs: 0,
      concurrency: 2,
      queueMs: 1000,
      queueLimit: 1,
      url: `${server.origin}/say?v=1`,
      apiKey,
    },
  }
  const upstream = createPromptUpstream('up', settings, tools, format)
  return {
    server,
    upstream,
    async [Symbol.asyncDispose]() {
      await upstream.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

const says = (...events: readonly object[]): Behaviour => {
  const lines = events.map((event) => `data: ${JSON.stringify(event)}\n\n`)
  return (socket, { body }) =>
    socket.write(JSON.parse(body).stream ? streamed(lines) : answer(JSON.stringify(events[0])))
}

const text = (body: object, more: Partial<Call> = {}) => call({ model: 'm', body: { ...body }, ...more })

describe.for([false, true])('stream %s', (stream) => {
  const sent = (request: RawServer['requests'][number] | undefined) => JSON.parse(request?.body ?? '')

  test.for<[string, object, object]>([
    ['text', { prompt: 'Hi', max_tokens: 3, temperature: 0 }, { input: 'Hi', most: 3, temperature: 0 }],
    ['token ids, as the text they are', { prompt: [1, 2] }, { input: '<1><2>' }],
    ['what ends it, in a list', { prompt: 'Hi', stop: '.' }, { input: 'Hi', stop: ['.'] }],
    ['nothing that is null', { prompt: 'Hi', max_tokens: null, logit_bias: null }, { input: 'Hi' }],
  ])('is asked for %s', async ([, body, expected]) => {
    await using scene = await stage(says({ out: 'one', end: 'stop' }))
    const attempt = startAttempt('m')
    expect(await tell(scene.upstream, text(body, { stream }), attempt)).toMatchObject({ text: 'one' })
    expect(sent(scene.server.requests[0])).toEqual({ ...expected, stream })
    expect(scene.server.requests[0]).toMatchObject({ method: 'POST', path: '/say?v=1' })
    expect(scene.server.requests[0]?.headers['authorization']).toBeUndefined()
    expect(attempt.notes.dropped).toEqual([])
  })

  test('repeats the prompt where that is wanted', async () => {
    await using scene = await stage(says({ out: 'one', end: 'length' }))
    const told = await tell(scene.upstream, text({ prompt: 'Hi ', echo: true }, { stream }))
    expect(told).toMatchObject({ text: 'Hi one', reason: 'length', usage: undefined })
  })

  test('tells what it has no field for, and refuses what no prompt can say before it asks', async () => {
    await using scene = await stage(says({ out: 'one', end: 'stop' }))
    const attempt = startAttempt('m')
    await tell(scene.upstream, text({ prompt: 'Hi', seed: 7, store: true }, { stream }), attempt)
    expect(attempt.notes.dropped.toSorted()).toEqual(['seed', 'store'])
    const refused = await tell(scene.upstream, text({ prompt: 'Hi', logprobs: 2 }, { stream }))
    expect(refused.failure).toMatchObject({ kind: 'unsupported', param: 'logprobs' })
    expect(scene.server.requests).toHaveLength(1)
  })

  test.for<[string, object, object]>([
    ['no room', { error: { message: 'Full.', code: 503 } }, { kind: 'overloaded', provider: 'up' }],
    ['a word', { error: 'No own-key here.' }, { kind: 'upstream_error' }],
    ['nothing', { end: 'stop' }, stream ? {} : { kind: 'invalid_response', provider: 'up' }],
  ])('takes %s with status 200 for what it is', async ([, said, failure]) => {
    await using scene = await stage(says(said), 'own-key')
    const told = await tell(scene.upstream, text({ prompt: 'Hi' }, { stream }))
    expect(told.failure ?? {}).toMatchObject(failure)
    expect(JSON.stringify(told.failure?.message ?? '')).not.toContain('own-key')
    expect(scene.server.requests[0]?.headers['authorization']).toBe('Bearer own-key')
  })

  test('a key that is refused is named by its setting', async () => {
    await using scene = await stage((socket) => socket.write(answer('{}', { status: 401 })))
    const { failure } = await tell(scene.upstream, text({ prompt: 'Hi' }, { stream }))
    expect(failure).toMatchObject({
      kind: 'upstream_auth',
      operatorNote: expect.stringContaining('providers.up.apiKey is not set'),
    })
  })
})

test('events come one by one, and without an end they are no answer', async () => {
  await using scene = await stage(says({ out: 'one' }, { out: ' two' }, { heartbeat: 1 }))
  const told = await tell(scene.upstream, text({ prompt: 'Hi' }, { stream: true }))
  expect(told).toMatchObject({ text: 'one two', failure: { kind: 'interrupted' } })
})

test('a whole answer does where a stream was requested', async () => {
  await using scene = await stage((socket) => socket.write(answer('{"out":"one"}')))
  const told = await tell(scene.upstream, text({ prompt: 'Hi' }, { stream: true }))
  expect(told).toMatchObject({ text: 'one', reason: 'stop', failure: undefined })
})
