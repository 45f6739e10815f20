import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Config } from '../../../../src/config.ts'
import { loadConfig } from '../../../../src/config.ts'
import { providers } from '../../../../src/providers/all.ts'
import { startTestGateway, type TestGateway } from '../../../harness/gateway.ts'
import { onlyFile } from '../../../harness/only-file.ts'
import {
  answer,
  type Behaviour,
  chunk,
  lastChunk,
  type RawServer,
  startRawServer,
  streamHead,
} from '../../../harness/raw-server.ts'

export const messages = [{ role: 'user' as const, content: 'hello' }]
export const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }

export type Answered = { readonly status: number; readonly headers: Headers; readonly text: string }

type Asking = {
  readonly path?: string
  readonly key?: string | undefined
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
}

export type Scene = AsyncDisposable & {
  readonly upstream: RawServer
  readonly gateway: TestGateway
  readonly config: Config
  /** Asks for a chat under the key `k`, unless something else is said. */
  open(change: object, asking?: Asking): Promise<Response>
  /** The same, read to its end. */
  ask(change: object, asking?: Asking): Promise<Answered>
}

/** A gateway before an upstream whose model is `m`. */
export async function openScene(
  behave: Behaviour,
  overrides: Partial<Config> = {},
  limits: object = {},
): Promise<Scene> {
  const upstream = await startRawServer(behave)
  const file = JSON.stringify({
    providers: {
      up: { type: 'openai-compatible', baseUrl: `${upstream.origin}/v1`, retries: 0 },
    },
    models: { m: { deployments: [{ provider: 'up', price: { input: 1, output: 2 } }] } },
    stickiness: false,
    limits,
  })
  const read = onlyFile(file)
  const loaded = loadConfig({ environment: { GATEWAY_CONFIG: 'gateway.yaml' }, readFile: read, providers })
  const config: Config = { ...loaded, port: 0, ...overrides }
  const gateway = await startTestGateway(config)
  const open: Scene['open'] = (
    change,
    { path = '/v1/chat/completions', headers = {}, signal, ...asking } = {},
  ) => {
    const key = 'key' in asking ? asking.key : 'k'
    const basic = path === '/v1/chat/completions' ? { model: 'm', messages } : { model: 'm' }
    return fetch(gateway.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers, ...(key && { 'idempotency-key': key }) },
      body: JSON.stringify({ ...basic, ...change }),
      signal: signal ?? null,
    })
  }
  return {
    upstream,
    gateway,
    config,
    open,
    async ask(change, asking) {
      const response = await open(change, asking)
      return { status: response.status, headers: response.headers, text: await response.text() }
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

/** Asks, and leaves: a stream once it has begun, another answer once the upstream was asked. */
export async function leave(scene: Scene, change: { readonly stream?: boolean }): Promise<void> {
  const leaving = new AbortController()
  const asking = scene.open(change, { signal: leaving.signal })
  await scene.upstream.arrival(1)
  if (change.stream) await asking
  leaving.abort()
  await asking.then((response) => response.text()).catch(() => undefined)
  await alone(scene.gateway)
}

/** Resolves once the gateway has no caller. */
async function alone({ url }: TestGateway): Promise<void> {
  const { hostname, port } = new URL(url)
  // A later request on the same connection is served after the leaving was noticed.
  for (let turn = 0; turn < 2; turn++) {
    const socket = connect(Number(port), hostname)
    socket.write('GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
    await text(socket)
  }
}

/** With a key that `fetch` would not send. */
export async function askRaw({ url }: TestGateway, key: string): Promise<[number, unknown]> {
  const { hostname, port } = new URL(url)
  const body = JSON.stringify({ model: 'm', messages })
  const socket = connect(Number(port), hostname)
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'host: localhost',
    'connection: close',
    'content-type: application/json',
    `content-length: ${body.length}`,
    `idempotency-key: ${key}`,
  ]
  socket.write(Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1'))
  const heard = await text(socket)
  const [answered = '', told = ''] = heard.split('\r\n\r\n')
  return [Number(answered.split(' ')[1]), JSON.parse(told)]
}

/** Answers in the kind and form that was requested: `one two`. */
export const respond: Behaviour = (socket, { path, body }) => {
  const isText = path === '/v1/completions'
  if (JSON.parse(body).stream === true) {
    const frames = isText
      ? [textFrame('one'), textFrame(' two'), textFrame('', 'stop'), usageFrame('text_completion'), doneFrame]
      : [deltaFrame('one'), deltaFrame(' two'), endFrames]
    socket.write(Buffer.concat([Buffer.from(streamHead()), ...frames.map(chunk), Buffer.from(lastChunk)]))
    return
  }
  const object = isText ? 'text_completion' : 'chat.completion'
  const words = isText ? { text: 'one two' } : { message: { role: 'assistant', content: 'one two' } }
  const choices = [{ index: 0, ...words, finish_reason: 'stop' }]
  socket.write(answer(JSON.stringify({ id: 'a-1', object, created: 1, model: 'm', choices, usage })))
}

function chunkFrame(object: string, choices: readonly object[], more: object = {}): string {
  return `data: ${JSON.stringify({ id: 'a-1', object, created: 1, model: 'm', choices, ...more })}\n\n`
}

/** Words of a chat, as a frame of its stream. */
export function deltaFrame(content: string): string {
  const choices = [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }]
  return chunkFrame('chat.completion.chunk', choices)
}

function textFrame(words: string, finish_reason: string | null = null): string {
  return chunkFrame('text_completion', [{ index: 0, text: words, finish_reason }])
}

function usageFrame(object: string): string {
  return chunkFrame(object, [], { usage })
}

const doneFrame = 'data: [DONE]\n\n'

/** What ends such a stream well. */
export const endFrames =
  chunkFrame('chat.completion.chunk', [{ index: 0, delta: {}, finish_reason: 'stop' }]) +
  usageFrame('chat.completion.chunk') +
  doneFrame
