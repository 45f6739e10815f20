import { describe, expect, test } from 'vitest'
import type { Config } from '../../src/config.ts'
import { loadConfig } from '../../src/config.ts'
import type { SharedCache } from '../../src/core/model/shared/cache.ts'
import { alone, type Role } from '../../src/main/role.ts'
import type { Shared } from '../../src/main/shared.ts'
import { openBooks } from '../../src/main/tenants/books.ts'
import { providers } from '../../src/providers/all.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { onlyFile } from '../harness/only-file.ts'
import {
  answer,
  type Behaviour,
  chunk,
  lastChunk,
  type RawServer,
  startRawServer,
  streamHead,
} from '../harness/raw-server.ts'

/** The shared parts of two processes of one gateway. */
export type SharedAnswersSubject = {
  readonly name: string
  open(): Promise<SharedAnswersStage>
}

export type SharedAnswersStage = AsyncDisposable & {
  readonly shared: readonly [Shared, Shared]
  /** Makes the second find the first dead, as if it had been killed. */
  lose(): Promise<void>
}

/** Runs the suite for gateways that give the same answer to the same request at any process. */
export function describeSharedAnswers({ name, open }: SharedAnswersSubject): void {
  const scene = async (behave: Behaviour, overrides: Partial<Config> = {}) => {
    const upstream = await startRawServer(behave)
    const stage = await open()
    const followed = Promise.withResolvers<void>()
    const config = { ...configOver(upstream), ...overrides }
    const [here, there] = stage.shared
    const gateways = [
      await startTestGateway(config, { role: sharing(here) }),
      await startTestGateway(config, { role: sharing(there, followed.resolve) }),
    ] as const
    return {
      ...{ upstream, gateways },
      lose: stage.lose,
      /** Resolves when the second waits for the answer of the first. */
      followed: followed.promise,
      async [Symbol.asyncDispose]() {
        for (const gateway of gateways) await gateway[Symbol.asyncDispose]()
        await stage[Symbol.asyncDispose]()
        await upstream[Symbol.asyncDispose]()
      },
    }
  }

  describe(`two gateways over ${name}`, () => {
    test.for([false, true])('execute a call once for its key: stream %s', async (stream) => {
      await using stage = await scene(respond)
      const [here, there] = stage.gateways
      const first = await ask(here, { stream }, 'k')
      const second = await ask(there, { stream }, 'k')
      expect(stage.upstream.requests).toHaveLength(1)
      expect(second.text).toBe(first.text)
      expect(second.text).toContain(stream ? 'data: [DONE]' : '"content":"one two"')
      expect([first, second].map(({ replayed }) => replayed)).toEqual([null, 'true'])
      expect(await there.recorded()).toMatchObject({ cache: 'replay', costNanoUsd: 0, usage, status: 200 })
      expect(await ask(there, { stream, temperature: 1 }, 'k')).toMatchObject({ status: 422 })
    })

    test('execute it once for simultaneous requests', async () => {
      const gate = Promise.withResolvers<void>()
      await using stage = await scene(async (...call) => {
        await gate.promise
        respond(...call)
      })
      const asking = stage.gateways.flatMap((gateway) => [ask(gateway, {}, 'k'), ask(gateway, {}, 'k')])
      await stage.upstream.arrival(1)
      gate.resolve()
      const answers = await Promise.all(asking)
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
      expect(answers.filter(({ replayed }) => replayed === 'true')).toHaveLength(3)
      expect(stage.upstream.requests).toHaveLength(1)
    })

    test('follow a stream of the other, piece by piece', async () => {
      const rest = Promise.withResolvers<void>()
      await using stage = await scene(async (socket) => {
        socket.write(streamHead() + chunk(deltaFrame('one')))
        await rest.promise
        socket.write(Buffer.concat([chunk(deltaFrame(' two') + endFrames), Buffer.from(lastChunk)]))
      })
      const [here, there] = stage.gateways
      const first = await send(here, { stream: true }, 'k')
      const second = await send(there, { stream: true }, 'k')
      const reader = second.body?.pipeThrough(new TextDecoderStream()).getReader()
      let all = ''
      while (!all.includes('"content":"one"')) all += (await reader?.read())?.value ?? ''
      rest.resolve()
      for (let next = await reader?.read(); next?.done === false; next = await reader?.read())
        all += next.value
      expect(all).toBe(await first.text())
      expect(all).toContain('data: [DONE]')
      expect(stage.upstream.requests).toHaveLength(1)
    })

    test('report to a follower once that the other died, and start over on a retry', async () => {
      let hits = 0
      await using stage = await scene((socket, request) => {
        if (++hits > 1) respond(socket, request)
        else socket.write(streamHead() + chunk(deltaFrame('one')))
      })
      const [here, there] = stage.gateways
      const leaving = new AbortController()
      await send(here, { stream: true }, 'k', leaving.signal)
      const second = await send(there, { stream: true }, 'k')
      await stage.lose()
      const text = await second.text()
      expect(text).toContain('"content":"one"')
      expect(text.split('"code":"upstream_stream_interrupted"')).toHaveLength(2)
      expect(text).not.toContain('[DONE]')
      expect((await there.recorded()).failure?.kind).toBe('interrupted')
      const again = await ask(there, { stream: true }, 'k')
      expect(again.text).toContain('[DONE]')
      expect(again.replayed).toBeNull()
      leaving.abort()
    })

    test('find the cached answers of the other', async () => {
      const cache = { enabled: true, ttlMs: 60_000, maxEntries: 10, maxBytes: 1_000_000, everyCall: false }
      await using stage = await scene(respond, { cache })
      const [here, there] = stage.gateways
      const first = await ask(here, { temperature: 0 })
      let asked = 0
      // An answer is cached asynchronously: an early request is executed again.
      await expect
        .poll(async () => {
          const next = await ask(there, { temperature: 0 })
          expect(JSON.parse(next.text).choices).toEqual(JSON.parse(first.text).choices)
          return await there.recorded(++asked)
        })
        .toMatchObject({ cache: 'hit', costNanoUsd: 0, savedNanoUsd: 7000 })
      expect(stage.upstream.requests).toHaveLength(asked)
    })

    test('execute identical concurrent calls once', async () => {
      const gate = Promise.withResolvers<void>()
      await using stage = await scene(
        async (socket, request) => {
          await gate.promise
          respond(socket, request)
        },
        { coalesce: true },
      )
      const [here, there] = stage.gateways
      const first = ask(here, { temperature: 0 })
      await stage.upstream.arrival(1)
      const second = ask(there, { temperature: 0 })
      await stage.followed
      gate.resolve()
      const answers = await Promise.all([first, second])
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
      expect(stage.upstream.requests).toHaveLength(1)
      expect(await there.recorded()).toMatchObject({ cache: 'coalesced', costNanoUsd: 0 })
    })
  })
}

const messages = [{ role: 'user' as const, content: 'hello' }]
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }

function configOver(upstream: RawServer): Config {
  const file = JSON.stringify({
    providers: { up: { type: 'openai-compatible', baseUrl: `${upstream.origin}/v1`, retries: 0 } },
    models: { m: { deployments: [{ provider: 'up', price: { input: 1, output: 2 } }] } },
    stickiness: false,
  })
  const environment = { GATEWAY_CONFIG: 'gateway.yaml' }
  return { ...loadConfig({ environment, readFile: onlyFile(file), providers }), port: 0 }
}

/** A process with these shared parts. */
function sharing(shared: Shared, followed: () => void = () => {}): Role {
  const cache = new Proxy<SharedCache>(shared.cache, {
    get(target, name) {
      if (name === 'follow') followed()
      const method: unknown = Reflect.get(target, name)
      return typeof method === 'function' ? method.bind(target) : method
    },
  })
  return {
    ...alone,
    async openBooks(...given) {
      return { ...(await openBooks(...given)), shared: { ...shared, cache, isAlone: false } }
    },
  }
}

function send({ url }: TestGateway, change: object, key?: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
    body: JSON.stringify({ model: 'm', messages, ...change }),
    signal: signal ?? null,
  })
}

type Answered = { readonly status: number; readonly text: string; readonly replayed: string | null }

async function ask(gateway: TestGateway, change: object, key?: string): Promise<Answered> {
  const response = await send(gateway, change, key)
  const replayed = response.headers.get('idempotent-replayed')
  return { status: response.status, text: await response.text(), replayed }
}

/** Answers `one two`, as requested. */
const respond: Behaviour = (socket, { body }) => {
  if (JSON.parse(body).stream === true) {
    const frames = [deltaFrame('one'), deltaFrame(' two'), endFrames]
    socket.write(Buffer.concat([Buffer.from(streamHead()), ...frames.map(chunk), Buffer.from(lastChunk)]))
    return
  }
  const message = { role: 'assistant', content: 'one two' }
  const choices = [{ index: 0, message, finish_reason: 'stop' }]
  socket.write(
    answer(JSON.stringify({ id: 'a-1', object: 'chat.completion', created: 1, model: 'm', choices, usage })),
  )
}

function frame(choices: readonly object[], more: object = {}): string {
  const object = 'chat.completion.chunk'
  return `data: ${JSON.stringify({ id: 'a-1', object, created: 1, model: 'm', choices, ...more })}\n\n`
}

function deltaFrame(content: string): string {
  return frame([{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }])
}

const endFrames = `${frame([{ index: 0, delta: {}, finish_reason: 'stop' }])}${frame([], { usage })}data: [DONE]\n\n`
