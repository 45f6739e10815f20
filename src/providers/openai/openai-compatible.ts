import * as z from 'zod'
import { holdsTokenIds, inWords } from '../../core/adapt/token-ids.ts'
import type { Call, Relay } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonText } from '../../core/model/json/json-text.ts'
import { type Attempt, type Detokenizer, lackNames, type Upstream } from '../../core/model/ports.ts'
import type { Kind, RelayKind } from '../../core/model/terms.ts'
import {
  addressSetting,
  type Bounds,
  boundsSettings,
  keySettingOf,
  oneChoiceOf,
  secretSetting,
  upstreamBase,
} from '../base/common-settings.ts'
import type { Provider, ProviderTools } from '../base/provider.ts'
import { type RequestContext, readHttpError } from '../http-error/http-error.ts'
import { type ReadError, reportedFailure } from '../http-error/openai-error.ts'
import { createWire, requestHeaders } from '../wire/wire.ts'
import type { WireAnswer } from '../wire/wire-answer.ts'
import { readPathError } from './base-path.ts'
import { type Preset, type PresetName, presetNames, presets, quirksOf, unnamed } from './presets.ts'
import { createProbeRequests } from './probe-requests.ts'
import { abilities, kindsOf, pathsOf, pathsOfKinds, type QuirkSettings, type Quirks } from './quirks.ts'
import { createRelay } from './relay.ts'
import { isTaken, replyOf, streamOf } from './reply.ts'
import { openAiRequest, type RequestQuirks } from './request.ts'
import { replyBytes } from './stream.ts'
import { createTokenLimitNames } from './token-limit.ts'

const addressExpected =
  'a URL that starts with http:// or https://, without user, password and fragment; with most presets it may be left out'

/**
 * Any server or service with OpenAI's completions and chat API, such as vLLM, SGLang, llama.cpp, Ollama or LM Studio.
 */
export const openaiCompatible: Provider<GeneralSettings> = {
  type: 'openai-compatible',
  settings: z
    .strictObject({
      ...boundsSettings({ connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 600_000 }),
      /** The server or service. It decides the default address and quirks. */
      preset: z.enum(presetNames).exactOptional(),
      /** `/chat/completions` and `/completions` are appended. */
      baseUrl: addressSetting.exactOptional().meta({ expected: addressExpected }),
      apiKey: secretSetting.optional(),
      /** Sent with every request, in addition to the gateway's own. */
      headers: z.record(headerName(), secretText()).default({}),
      /** The server takes one prompt and gives one choice per request. Absent: the preset's value, or false. */
      oneChoice: z.boolean().exactOptional(),
      /** The kinds of calls that the server has; others are converted. Absent: the preset's. */
      kinds: z
        .array(z.enum(['chat', 'text']))
        .min(1)
        .exactOptional(),
      /** Model names to list to callers. */
      models: z.array(z.string().min(1)).default([]),
      /** Deviations from OpenAI's API; each overrides the preset's. */
      quirks: z
        .strictObject({
          asksUsage: z.boolean().exactOptional(),
          renames: z.record(z.string().min(1), z.string().min(1)).exactOptional(),
          drops: z.array(z.string().min(1)).exactOptional(),
          developerRole: z.enum(['keep', 'system']).exactOptional(),
          needsDone: z.boolean().exactOptional(),
          lacks: z.array(z.enum(lackNames)).exactOptional(),
          mostStops: z.int().min(0).exactOptional(),
          takesTokenIds: z.boolean().exactOptional(),
        })
        .default({}),
    })
    .check(({ value, issues }) => {
      if (addressOf(value) !== undefined) return
      issues.push({ code: 'custom', path: ['baseUrl'], input: undefined, message: addressExpected })
    }),
  priceList: ({ preset }) => preset,
  create(name, settings, tools) {
    const preset = presetOf(settings)
    const baseUrl = addressOf(settings)
    if (baseUrl === undefined) throw new TypeError(`No address was given for ${name}.`)
    const oneChoice = oneChoiceOf(settings.oneChoice ?? preset.isOneChoice ?? false)
    return createOpenAiCompatible(name, { ...settings, baseUrl, oneChoice }, tools, {
      ...pathsOfKinds(baseUrl, settings.kinds, preset.kinds, preset.relays),
      ...quirksOf(preset, settings.quirks, baseUrl),
      needsKey: preset.needsKey === true && usesPresetAddress(settings),
    })
  },
}

export type GeneralSettings = Omit<OpenAiCompatibleSettings, 'baseUrl' | 'oneChoice'> & {
  readonly preset?: PresetName
  readonly baseUrl?: string
  readonly oneChoice?: boolean
  readonly kinds?: readonly Kind[]
  readonly quirks: QuirkSettings
}

/** The settings of every upstream in OpenAI's format. */
export type OpenAiCompatibleSettings = Bounds & {
  readonly baseUrl: string
  readonly apiKey?: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly oneChoice: Upstream['oneChoice']
  readonly models: readonly string[]
}

/** An upstream in OpenAI's format, with its quirks. The caller's key is never sent to it. */
export function createOpenAiCompatible(
  name: string,
  settings: OpenAiCompatibleSettings,
  { clock, userAgent, detokenizer }: ProviderTools,
  quirks: Quirks,
): Upstream {
  const { apiKey, baseUrl, clocks, concurrency } = settings
  const { scheme = 'Bearer', keySetting = keySettingOf(name), needsKey = false, modelsOf } = quirks
  const request = requestQuirks(quirks)
  const paths = pathsOf(baseUrl, quirks)
  const limitNames = createTokenLimitNames()
  const { origin } = new URL(baseUrl)
  const wire = createWire({ name, origin, connectMs: clocks.connectMs, connections: concurrency, clock })
  const authorization = apiKey === undefined ? undefined : `${scheme} ${apiKey}`
  const headers = requestHeaders(userAgent, authorization, settings.headers)
  const secrets = [...(apiKey === undefined ? [] : [apiKey]), ...Object.values(settings.headers)]
  const common = { provider: name, key: apiKey === undefined ? 'none' : 'ours', keySetting, secrets } as const

  function contextOf(model: string, body?: JsonText, kind?: Kind | RelayKind): RequestContext {
    const request = body && (() => body.text)
    return { ...common, model, epochMs: clock.epochMs(), request, ability: kind && abilities[kind] }
  }

  function readErrorFor({ model, body }: AskedCall): ReadError {
    return (error) =>
      quirks.readError?.(error, contextOf(model, body)) ?? reportedFailure(error, contextOf(model, body))
  }

  function ask(call: Call, attempt: Attempt): Promise<WireAnswer> {
    if (quirks.takesTokenIds !== false || isText(call)) return post(call, attempt)
    return withTextPrompt(call, attempt, detokenizer).then((withText) => post(withText, attempt))
  }

  function post(call: Call, attempt: Attempt): Promise<WireAnswer> {
    const path = paths[call.kind]
    if (path === undefined) return Promise.reject(unsupported(call.kind, name))
    return limitNames.send(openAiRequest(call, attempt, request), attempt, ({ wire: body }) =>
      call.stream
        ? wire.post(path, headers, body, attempt)
        : wire.postForWhole(path, headers, body, attempt, replyBytes),
    )
  }

  const addressParts = { wire, headers, baseUrl, modelsPath: paths.models, setting: quirks.addressSetting }

  function refused(answer: WireAnswer, { model, body, kind }: AskedCall): Promise<Failure> {
    return readPathError(answer, paths[kind] ?? '', contextOf(model, body, kind), addressParts)
  }

  return {
    ...upstreamBase(name, settings),
    needsDone: quirks.needsDone,
    oneChoice: settings.oneChoice,
    kinds: kindsOf(paths),
    ...propertiesOf(quirks, baseUrl),
    knownModels: settings.models,
    admits: () => apiKey !== undefined || !needsKey,
    keySetting,
    send(call, attempt) {
      const { notes } = attempt
      const reading = { readError: readErrorFor(call), needsDone: quirks.needsDone, notes }
      const refuse = async (answer: WireAnswer) => Promise.reject(await refused(answer, call))
      if (!call.stream) return replyOf(ask(call, attempt), name, { ...reading, refuse })
      const answered = () => ask(call, attempt).then((answer) => (isTaken(answer) ? answer : refuse(answer)))
      return streamOf(answered, name, reading)
    },
    relay: createRelay({
      ...{ name, wire, headers, paths, refused, quirks: quirks.relays ?? {} },
      detokenizer: quirks.takesTokenIds === false ? detokenizer : undefined,
      readError: readErrorFor,
    }),
    ...createProbeRequests({
      ...{ name, wire, headers, modelsOf, modelsPath: paths.models, healthPath: paths.health },
      refused: (answer) => readHttpError(answer, contextOf('')),
    }),
    close: () => wire.close(),
  }
}

type AskedCall = Pick<Call | Relay, 'model' | 'body' | 'kind'>

/** Properties that the gateway must know before it sends a call. */
function propertiesOf({ lacks, mostStops, prefix, keepsReasoning, repeatsPrefix }: Quirks, baseUrl: string) {
  const keepsBillingLine = isAnthropic(baseUrl)
  return {
    lacks,
    mostStops,
    takesPrefix: prefix !== undefined,
    keepsReasoning,
    repeatsPrefix,
    keepsBillingLine,
  }
}

function requestQuirks({ asksUsage = true, renames = {}, drops = [], adapt, prefix }: Quirks): RequestQuirks {
  return { asksUsage, renames, drops, adapt: adapt ?? ((body) => body), prefix }
}

function isText({ kind, body }: Call): boolean {
  return kind === 'chat' || !Array.isArray(body.value['prompt'])
}

/** The call with token id prompts decoded. */
async function withTextPrompt(call: Call, { notes }: Attempt, detokenizer: Detokenizer): Promise<Call> {
  const { prompt: given } = call.body.value
  if (!holdsTokenIds(given)) return call
  const prompt = await inWords(given, detokenizer, notes)
  return { ...call, body: call.body.with({ prompt }) }
}

function unsupported(kind: Kind, provider: string): Failure {
  return new Failure('unsupported', `This upstream has no ${abilities[kind]}.`, {
    provider,
    code: 'unsupported_endpoint',
  })
}

function presetOf({ preset }: Pick<GeneralSettings, 'preset'>): Preset {
  return preset === undefined ? unnamed : presets[preset]
}

function addressOf(settings: Pick<GeneralSettings, 'preset' | 'baseUrl'>): string | undefined {
  return settings.baseUrl ?? presetOf(settings).baseUrl
}

/** Only Anthropic reads the billing line in a prompt. For other servers it is removed. */
function isAnthropic(baseUrl: string): boolean {
  return /(?:^|\.)anthropic\.com$/.test(new URL(baseUrl).hostname)
}

/** True without a configured address and without headers that may authenticate. */
function usesPresetAddress({ baseUrl, headers }: Pick<GeneralSettings, 'baseUrl' | 'headers'>): boolean {
  return baseUrl === undefined && Object.keys(headers).length === 0
}

/** A valid header name that neither the connection nor this gateway sets. */
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
