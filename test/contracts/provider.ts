import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { Failure, type FailureKind } from '../../src/core/model/failure.ts'
import type { Upstream } from '../../src/core/model/ports.ts'
import { startAttempt } from '../harness/core/attempt.ts'
import { call, tell } from '../harness/core/simulated-call.ts'
import { type RawRequest, type RawServer, startRawServer } from '../harness/raw-server.ts'

/** A provider that the suite is run on. */
export type Subject = {
  readonly name: string
  /** Brings about a situation: the upstream under test, and the model to ask it for. */
  stage(situation: Situation): Promise<Stage>
  /** Situations that cannot come about with this provider, each with the reason. */
  readonly deviations?: Readonly<Partial<Record<Situation, string>>>
}

export type Stage = AsyncDisposable & {
  readonly upstream: Upstream
  readonly model: string
  /** The other end, when there is one. */
  readonly server: RawServer | undefined
}

export type Situation = 'answers' | 'is silent' | 'stalls in its answer' | (typeof failures)[number][0]

/** What must come of an upstream that… */
const failures = [
  ['rejects the key', 'upstream_auth', { upstreamStatus: 401 }],
  ['knows no such model', 'model_not_found', { upstreamStatus: 404 }],
  ['limits the rate', 'rate_limited', { upstreamStatus: 429, retryAfterMs: 7000 }],
  ['fails', 'upstream_error', { upstreamStatus: 500 }],
  ['is overloaded', 'overloaded', { upstreamStatus: 503 }],
  ['is not there', 'unreachable', { upstreamStatus: undefined }],
  ['resets the connection', 'unreachable', { upstreamStatus: undefined }],
  ['breaks off in its answer', 'interrupted', {}],
  ['answers half a JSON', 'invalid_response', {}],
  ['answers a page', 'invalid_response', {}],
  ['answers an empty object', 'invalid_response', {}],
] as const satisfies readonly (readonly [string, FailureKind, object])[]

/** Runs the suite that every provider has to pass. To a prompt or message `one two` the answer is `one two`. */
export function describeProvider({ name, stage, deviations = {} }: Subject): void {
  const leaving = new Failure('caller_left', 'The caller left.')

  describe.for([
    ['text', false],
    ['text', true],
    ['chat', false],
    ['chat', true],
  ] as const)(`${name}, %s, stream %s`, ([kind, stream]) => {
    const possible = (situation: Situation) => test.skipIf(deviations[situation] !== undefined)

    possible('answers')('answers, and leaves nothing behind', async () => {
      await using scene = await stage('answers')
      const { upstream, model, server } = scene
      const attempt = startAttempt(model)
      const told = await tell(upstream, call({ model, kind, stream }), attempt)
      expect(told).toMatchObject({ text: 'one two', reason: 'stop', failure: undefined })
      expect(told.usage).toMatchObject({
        prompt_tokens: expect.any(Number),
        completion_tokens: expect.any(Number),
      })
      expect(attempt.notes).toMatchObject({ headersAt: expect.any(Number), upstreamStatus: 200 })
      expect(getEventListeners(attempt.signal, 'abort')).toHaveLength(0)
      if (server !== undefined) expect(server.requests).toHaveLength(1)
    })

    for (const [situation, failureKind, detail] of failures) {
      possible(situation)(`an upstream that ${situation} is ${failureKind}, told once`, async () => {
        await using scene = await stage(situation)
        const { upstream, model, server } = scene
        const attempt = startAttempt(model)
        const told = await tell(upstream, call({ model, kind, stream }), attempt)
        expect(told.failure).toMatchObject({ kind: failureKind, ...detail })
        if (server !== undefined) expect(told.failure?.provider).toBe(upstream.name)
        expect(getEventListeners(attempt.signal, 'abort')).toHaveLength(0)
        if (server !== undefined) expect(server.requests.length).toBeLessThanOrEqual(1)
      })
    }

    for (const situation of ['is silent', 'stalls in its answer'] as const) {
      possible(situation)(`a caller who leaves while it ${situation} is let go at once`, async () => {
        await using scene = await stage(situation)
        const { upstream, model, server } = scene
        const attempt = startAttempt(model)
        const told = tell(upstream, call({ model, kind, stream }), attempt)
        await (server?.arrival(1) ?? Promise.resolve())
        attempt.controller.abort(leaving)
        expect((await told).failure).toBe(leaving)
        await server?.idle()
        expect(getEventListeners(attempt.signal, 'abort')).toHaveLength(0)
      })
    }

    possible('answers')('a caller who has left already is not served', async () => {
      await using scene = await stage('answers')
      const { upstream, model, server } = scene
      const attempt = startAttempt(model)
      attempt.controller.abort(leaving)
      expect((await tell(upstream, call({ model, kind, stream }), attempt)).failure).toBe(leaving)
      if (server !== undefined) expect(server.requests).toHaveLength(0)
    })

    possible('answers')('closing releases the connections', async () => {
      await using scene = await stage('answers')
      const { upstream, model, server } = scene
      await tell(upstream, call({ model, kind, stream }))
      await upstream.close()
      await server?.idle()
    })
  })

  test.runIf(Object.keys(deviations).length > 0)(`${name} gives reasons for what it cannot show`, () => {
    for (const reason of Object.values(deviations)) expect(reason).toMatch(/\w+ \w+/)
  })
}

/** How an upstream over the network speaks. */
export type Speech = {
  /** The complete HTTP answer to a request, that says `one two`. */
  answer(request: RawRequest): Buffer
  /** A complete HTTP answer with this status, in the upstream's own shape of an error. */
  refuse(status: number, headers: Readonly<Record<string, string>>): Buffer
  /** A complete HTTP answer with status 200. */
  say(body: string, contentType: string): Buffer
}

/** A subject over real sockets: an upstream of its own for each situation. */
export function overSockets(name: string, create: (origin: string) => Upstream, speech: Speech): Subject {
  return {
    name,
    async stage(situation) {
      const server = await startRawServer((_socket, request) => perform(situation, request, speech))
      if (situation === 'is not there') await server[Symbol.asyncDispose]()
      const upstream = create(server.origin)
      return {
        upstream,
        server,
        model: 'some-model',
        async [Symbol.asyncDispose]() {
          await upstream.close()
          if (situation !== 'is not there') await server[Symbol.asyncDispose]()
        },
      }
    },
  }
}

function perform(situation: Situation, request: RawRequest, speech: Speech): unknown {
  const { socket } = request
  switch (situation) {
    case 'answers':
      return socket.write(speech.answer(request))
    case 'is silent':
    case 'is not there':
      return undefined
    case 'stalls in its answer':
      return socket.write(halfOf(speech.answer(request)))
    case 'breaks off in its answer':
      return socket.end(halfOf(speech.answer(request)))
    case 'resets the connection':
      return socket.resetAndDestroy()
    case 'rejects the key':
      return socket.write(speech.refuse(401, {}))
    case 'knows no such model':
      return socket.write(speech.refuse(404, {}))
    case 'limits the rate':
      return socket.write(speech.refuse(429, { 'retry-after': '7' }))
    case 'fails':
      return socket.write(speech.refuse(500, {}))
    case 'is overloaded':
      return socket.write(speech.refuse(503, {}))
    case 'answers half a JSON':
      return socket.write(speech.say('{"model":"some-model","ou', 'application/json'))
    case 'answers a page':
      return socket.write(speech.say('<!DOCTYPE html><title>Bad Gateway</title>', 'text/html'))
    case 'answers an empty object':
      return socket.write(speech.say('{}', 'application/json'))
  }
}

/** All of the head, half of the body. */
function halfOf(bytes: Buffer): Buffer {
  const head = bytes.indexOf('\r\n\r\n') + 4
  return bytes.subarray(0, head + Math.floor((bytes.length - head) / 2))
}
