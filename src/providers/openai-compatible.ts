import * as z from 'zod'
import type { Call, RawDelta } from '../core/model.ts'
import type { Attempt, Upstream } from '../core/ports.ts'
import { addressSetting, type Bounds, boundsSettings, retryOf, secretSetting } from './bounds.ts'
import type { WireAnswer } from './exchange.ts'
import { readReply } from './openai-answer.ts'
import { openAiRequest, type RequestQuirks } from './openai-request.ts'
import { Events, isEventStream, replyBytes } from './openai-stream.ts'
import type { Provider, ProviderTools } from './provider.ts'
import { readRefusal } from './refusal.ts'
import { createWire, requestHeaders } from './wire.ts'

/** Any server that speaks OpenAI's completions and chat: vLLM, SGLang, llama.cpp, Ollama, LM Studio, a gateway. */
export const openaiCompatible: Provider<OpenAiCompatibleSettings> = {
  type: 'openai-compatible',
  settings: z.strictObject({
    ...boundsSettings({ connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 600_000 }),
    /** What `/chat/completions` and `/completions` are added to. */
    baseUrl: addressSetting,
    apiKey: secretSetting.optional(),
    /** Sent with every request, beside the gateway's own. */
    headers: z.record(headerName(), secretText()).default({}),
    /** The server takes one prompt and gives one choice per request. */
    oneChoice: z.boolean().default(false),
    /** Names to offer to callers who ask which models there are. */
    models: z.array(z.string().min(1)).default([]),
  }),
  create: (name, settings, tools) => createOpenAiCompatible(name, settings, tools, {}),
}

export type OpenAiCompatibleSettings = Bounds & {
  readonly baseUrl: string
  readonly apiKey?: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly oneChoice: boolean
  readonly models: readonly string[]
}

/** How a server differs from OpenAI's own. What is left out does not differ. */
export type Quirks = Partial<RequestQuirks> & {
  /** The word before the key. */
  readonly scheme?: 'Bearer' | 'Api-Key'
}

/** An upstream that speaks OpenAI's format, but for its quirks. The caller's own key never goes there. */
export function createOpenAiCompatible(
  name: string,
  settings: OpenAiCompatibleSettings,
  { clock, userAgent }: ProviderTools,
  { scheme = 'Bearer', asksUsage = true, renames = {} }: Quirks,
): Upstream {
  const { apiKey, baseUrl, clocks, concurrency } = settings
  const { origin, pathname, search } = new URL(baseUrl)
  const prefix = pathname.replace(/\/+$/, '')
  const paths = { chat: `${prefix}/chat/completions${search}`, text: `${prefix}/completions${search}` }
  const wire = createWire({ name, origin, connectMs: clocks.connectMs, connections: concurrency, clock })
  const authorization = apiKey === undefined ? undefined : `${scheme} ${apiKey}`
  const headers = requestHeaders(userAgent, authorization, settings.headers)
  const secrets = [...(apiKey === undefined ? [] : [apiKey]), ...Object.values(settings.headers)]

  async function ask(call: Call, attempt: Attempt): Promise<WireAnswer> {
    const body = openAiRequest(call, attempt, { asksUsage, renames })
    const answer = await wire.post(paths[call.kind], headers, body, attempt)
    if (answer.status >= 200 && answer.status < 300) return answer
    throw await readRefusal(answer, {
      provider: name,
      model: call.model,
      key: apiKey === undefined ? 'none' : 'ours',
      keySetting: `providers.${name}.apiKey`,
      secrets,
      epochMs: clock.epochMs(),
    })
  }

  return {
    name,
    clocks,
    retry: retryOf(settings),
    oneChoice: settings.oneChoice,
    knownModels: settings.models,
    admits: () => true,
    send: (call, attempt) =>
      call.stream ? streamOf(() => ask(call, attempt), name) : replyOf(ask(call, attempt), name),
    close: () => wire.close(),
  }
}

/** A whole reply, also from a server that streams what it was not asked to. */
async function replyOf(asked: Promise<WireAnswer>, name: string): Promise<readonly RawDelta[]> {
  const answer = await asked
  if (!isEventStream(answer, false)) return [readReply(await answer.text(replyBytes), name)]
  const deltas: RawDelta[] = []
  for await (const burst of streamOf(() => asked, name)) deltas.push(...burst)
  return deltas
}

/** The chunks of a stream, or the whole reply of a server that does not stream. */
function streamOf(ask: () => Promise<WireAnswer>, name: string): AsyncIterable<readonly RawDelta[]> {
  return { [Symbol.asyncIterator]: () => new Events(ask, name) }
}

/** A name that is a header's, and none of those that the connection or this gateway decides. */
function headerName() {
  return z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/)
    .refine((name) => !reserved.has(name.toLowerCase()))
    .meta({ expected: 'the name of a header that the gateway does not set itself' })
}

function secretText() {
  return z
    .string()
    .regex(/^[\x20-\x7e]*$/)
    .meta({ secret: true, expected: 'printable ASCII' })
}

const reserved: ReadonlySet<string> = new Set([
  ...[
    'host',
    'connection',
    'keep-alive',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
  ],
  ...['expect', 'content-length', 'content-encoding', 'content-type', 'accept', 'accept-encoding'],
  ...['user-agent', 'authorization'],
])
