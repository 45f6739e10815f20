import type { Config } from '../../../src/config.ts'
import { loadConfig } from '../../../src/config.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { providers } from '../../../src/providers/all.ts'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { onlyFile } from '../../harness/only-file.ts'
import {
  answer,
  chunk,
  type RawServer,
  startRawServer,
  streamed,
  streamHead,
} from '../../harness/raw-server.ts'
import { asJson } from '../upstreams/asking.ts'

/** How an upstream answers a request: with a JSON reply, with the chunks of a stream, or of one that has no end. */
export type Speaking = (body: JsonObject, path: string) => JsonObject | readonly JsonObject[]

export type Spoken = AsyncDisposable & {
  readonly gateway: TestGateway
  /** By the provider's name. */
  readonly servers: Readonly<Record<string, RawServer>>
  /** The bodies a provider was sent, in their order. */
  sent(name: string): readonly JsonObject[]
  ask(path: Path, body: object): Promise<Told>
}

type Path = '/completions' | '/chat/completions' | '/messages' | '/responses' | '/embeddings' | '/rerank'

/** What a caller reads. */
export type Told = {
  readonly status: number
  readonly headers: Headers
  readonly body: JsonObject
  readonly text: string
  /** The chunks of a stream. */
  readonly chunks: readonly Chunk[]
}

export type Chunk = JsonObject & { readonly choices: readonly Choice[]; readonly usage?: unknown }

export type Choice = JsonObject & {
  readonly index: number
  readonly text?: string
  readonly delta?: JsonObject
  readonly message?: JsonObject
}

/** A gateway over bare servers, one for each provider, all with the model `m`, tried in the order written. */
export async function openSpoken(
  places: Readonly<
    Record<
      string,
      {
        readonly settings: object
        readonly speak: Speaking
        readonly model?: string
        readonly traits?: object
      }
    >
  >,
): Promise<Spoken> {
  const servers: Record<string, RawServer> = {}
  const written: Record<string, object> = {}
  const deployments: object[] = []
  for (const [name, { settings, speak, model, traits }] of Object.entries(places)) {
    const server = await startRawServer((socket, { body, path }) => {
      const said = speak(JSON.parse(body) as JsonObject, path)
      if ('refused' in said) {
        socket.write(answer(JSON.stringify({ error: said['refused'] }), { status: 400 }))
      } else if ('unended' in said) {
        const events = (said['unended'] as readonly JsonObject[]).map(eventOf)
        socket.write(Buffer.concat([Buffer.from(streamHead()), ...events.map(chunk)]))
      } else socket.write(Array.isArray(said) ? streamed(eventsOf(said)) : answer(JSON.stringify(said)))
    })
    servers[name] = server
    const baseUrl = `${server.origin}/v1`
    written[name] = { type: 'openai-compatible', apiKey: 'key', retries: 0, baseUrl, ...settings }
    deployments.push({ provider: name, ...(model === undefined ? {} : { model }), ...traits })
  }
  const gateway = await startTestGateway(configOf({ providers: written, models: { m: { deployments } } }))
  return {
    gateway,
    servers,
    sent: (name) => (servers[name]?.requests ?? []).map(({ body }) => JSON.parse(body) as JsonObject),
    async ask(path, body) {
      const response = await fetch(`${gateway.url}/v1${path}`, asJson({ model: 'm', ...body }))
      const text = await response.text()
      const isJson = response.headers.get('content-type')?.includes('json') === true
      const frames = [...text.matchAll(/^data: (\{.*\})$/gm)].map(
        ([, json]) => JSON.parse(json ?? '') as Chunk,
      )
      return {
        ...{ status: response.status, headers: response.headers, text },
        body: isJson ? (JSON.parse(text) as JsonObject) : {},
        chunks: frames,
      }
    },
    async [Symbol.asyncDispose]() {
      for (const part of [gateway, ...Object.values(servers)]) await part[Symbol.asyncDispose]()
    },
  }
}

/** What an upstream says that refuses a request. */
export function refused(message: string, more: JsonObject = {}): JsonObject {
  return { refused: { message, type: 'invalid_request_error', ...more } }
}

/** The choices of a JSON answer. */
export function choicesOf({ body }: Told): readonly Choice[] {
  return body['choices'] as readonly Choice[]
}

const envelope = { id: 'up-1', created: 1_700_000_000, model: 'there' }
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }

export function textReply(...choices: readonly JsonObject[]): JsonObject {
  const whole = choices.map((choice, index) => ({ index, logprobs: null, finish_reason: 'stop', ...choice }))
  return { ...envelope, object: 'text_completion', choices: whole, usage }
}

export function chatReply(message: JsonObject, more: JsonObject = {}): JsonObject {
  const choice = { index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop', ...more }
  return { ...envelope, object: 'chat.completion', choices: [choice], usage }
}

/** A stream of words, one chunk each, with its end and its usage. */
export function textStream(...words: readonly string[]): readonly JsonObject[] {
  const chunkOf = (choices: readonly JsonObject[]) => ({ ...envelope, object: 'text_completion', choices })
  return [
    ...words.map((text) => chunkOf([{ index: 0, text, finish_reason: null }])),
    chunkOf([{ index: 0, text: '', finish_reason: 'stop' }]),
    { ...chunkOf([]), usage },
  ]
}

export function chatStream(...deltas: readonly JsonObject[]): readonly JsonObject[] {
  const chunkOf = (choices: readonly JsonObject[]) => ({
    ...envelope,
    object: 'chat.completion.chunk',
    choices,
  })
  return [
    ...deltas.map((delta) => chunkOf([{ index: 0, delta, finish_reason: null }])),
    chunkOf([{ index: 0, delta: {}, finish_reason: 'stop' }]),
    { ...chunkOf([]), usage },
  ]
}

function eventsOf(chunks: readonly JsonObject[]): readonly string[] {
  return [...chunks.map(eventOf), 'data: [DONE]\n\n']
}

function eventOf(value: JsonObject): string {
  return `data: ${JSON.stringify(value)}\n\n`
}

function configOf(file: object): Config {
  return loadConfig({
    environment: { GATEWAY_CONFIG: 'gateway.yaml', PORT: '0' },
    readFile: onlyFile(JSON.stringify(file)),
    providers,
  })
}
