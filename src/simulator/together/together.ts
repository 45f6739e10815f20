import type { Call } from '../../core/model/call.ts'
import { isObject, type JsonObject, parseJson, spell } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Price } from '../../core/model/price.ts'
import type { Kind } from '../../core/model/terms.ts'
import { parseName } from '../script/behaviours.ts'
import { echoedPrompt, maxTokensIn, scriptRequest } from '../script/request.ts'
import type { Refusal, Script } from '../script/script.ts'
import { createSimulatorState, type SimulatorState } from '../script/state.ts'
import { embeddingsFor, rerankFor } from '../script/vectors.ts'
import { type ErrorAnswer, playOpenAi, sendError } from '../server/openai-answer.ts'
import {
  type Exchange,
  type ServerOptions,
  type SimulatedServer,
  startSimulatedServer,
} from '../server/simulated-server.ts'
import { createWindow } from '../server/window.ts'
import { type TogetherInterruption, togetherFormat } from './answer.ts'
import { type TogetherErrors, type TogetherLimit, togetherErrors } from './error.ts'
import { listedRow, priceOf, type TogetherModel, togetherModels } from './models.ts'
import { faultIn } from './validation.ts'

export type TogetherOptions = Omit<ServerOptions, 'tariff'> & {
  /** The models, in addition to names of behaviours. Undefined: a part of Together's own list. */
  readonly models?: readonly TogetherModel[] | undefined
  /** The price of a model that is not listed; undefined: unknown. */
  readonly otherPrice?: Price | undefined
  /** The maximum number of requests per 10 s; undefined: unlimited. */
  readonly maxRequests?: number | undefined
  /** The limit that a 429 names; undefined: the account's. */
  readonly limit?: TogetherLimit | undefined
  /** The form in which a stream is interrupted; undefined: the connection is closed. */
  readonly breaks?: TogetherInterruption | undefined
}

/**
 * Together.ai's API over HTTP, with simulated models. A model's name, or the part after its last slash, encodes its
 * behaviour: `meta-llama/sim-cut-3`. Other names must be in the list. Models that are not listed run on the newer
 * engine.
 */
export async function simulateTogether(options: TogetherOptions): Promise<SimulatedServer> {
  const models = new Map((options.models ?? togetherModels).map((model) => [model.id, model]))
  const state = createSimulatorState(options.slowMs)
  const isOverLimit = createWindow(options.maxRequests ?? Number.POSITIVE_INFINITY, () => performance.now())
  const tariff = (id: string) => {
    const model = models.get(id)
    return model === undefined ? options.otherPrice : priceOf(model)
  }
  return await startSimulatedServer({ ...options, tariff }, (exchange) => {
    const common = { exchange, models, state, options, isOverLimit: isOverLimit }
    return answer({ ...common, id: idOf(exchange), errors: togetherErrors(idOf(exchange)) })
  })
}

type Service = {
  readonly exchange: Exchange
  readonly models: ReadonlyMap<string, TogetherModel>
  readonly state: SimulatorState
  readonly options: TogetherOptions
  readonly isOverLimit: () => boolean
  /** The id of the request. */
  readonly id: string
  readonly errors: TogetherErrors
}

const chatRoute = '/v1/chat/completions'
const textRoute = '/v1/completions'
const vectorRoutes: ReadonlyMap<string, typeof embeddingsFor> = new Map([
  ['/v1/embeddings', embeddingsFor],
  ['/v1/rerank', rerankFor],
])

async function answer(service: Service): Promise<void> {
  const { exchange, models, errors, options } = service
  const { method, path, headers, body: text } = exchange.request
  for (const [name, value] of Object.entries(commonHeaders)) exchange.response.setHeader(name, value)
  const { pathname } = new URL(path, 'http://simulated')
  const isListing = method === 'GET' && pathname === '/v1/models'
  if (options.key !== undefined && headers['authorization'] !== `Bearer ${options.key}`) {
    sendError(exchange, errors.unauthorized(isListing ? pathname : ''))
    return
  }
  if (isListing) {
    sendJson(exchange, [...models.values()].map(listedRow))
    return
  }
  const vectors = vectorRoutes.get(pathname)
  const kind = pathname === chatRoute ? 'chat' : pathname === textRoute ? 'text' : undefined
  if (method !== 'POST' || (kind ?? vectors) === undefined) {
    sendError(exchange, errors.notFound(pathname))
    return
  }
  const body = parsed(text)
  if (service.isOverLimit()) {
    const limit = options.limit ?? 'rate_limit'
    const details = { model: spell(body?.['model']), message: '', retryAfterSeconds: undefined, limit }
    sendError(exchange, errors.withStatus(429, details))
    return
  }
  const refused = body === undefined ? errors.invalid('Invalid JSON', null) : refusalOf(body, kind, service)
  if (body === undefined || refused !== undefined) {
    if (refused !== undefined) sendError(exchange, refused)
    return
  }
  if (kind !== undefined) await answerCall(body, kind, service)
  else if (vectors !== undefined) answerVectors(body, vectors, service)
}

/** Sent with every answer, even below the limit. */
const commonHeaders = {
  'x-inference-version': 'v2',
  'x-ratelimit': 'false',
  'x-ratelimit-limit': '10',
  'x-ratelimit-remaining': '9',
  'x-ratelimit-reset': '2',
  'x-ratelimit-limit-tokens': '3000',
  'x-ratelimit-remaining-tokens': '2990',
  'retry-after': '2',
}

/** An id of three parts; the last one is from the edge in front of Together. */
function idOf({ number }: Exchange): string {
  return `omSim${number}-3pDw3Z-${(0xa04673c1cf25a000n + BigInt(number)).toString(16)}`
}

function parsed(text: string): JsonObject | undefined {
  try {
    const body = parseJson(text)
    return isObject(body) ? body : undefined
  } catch {
    return undefined
  }
}

/** The error of an invalid request, before any model is called. */
function refusalOf(body: JsonObject, kind: Kind | undefined, service: Service): ErrorAnswer | undefined {
  const { errors, models } = service
  const { model: id } = body
  if (typeof id !== 'string' || id === '') return errors.invalid('model is required', 'model')
  const model = models.get(id)
  const { traits, fault } = parseName(behaviourIn(id))
  if (model === undefined && (traits === undefined || traits.size === 0)) {
    return errors.unknownModel(id, fault)
  }
  if (model?.absence !== undefined) return errors.absentModel(id, model.absence)
  if (kind === undefined) return undefined
  const wrong = faultIn(body, kind)
  if (wrong !== undefined) return errors.invalid(wrong.message, wrong.param)
  if (model === undefined) return undefined
  const { promptTokens = 0 } = scriptRequest(callOf(body, kind))
  const maxTokens = maxTokensIn(knownFields(body))
  const needed = promptTokens + (model.engine === 'a' ? (maxTokens ?? 0) : 0)
  return needed > model.contextTokens ? errors.tooLong(model, promptTokens, maxTokens) : undefined
}

/** The part of a model's name that encodes its behaviour. */
function behaviourIn(id: string): string {
  const last = id.slice(id.lastIndexOf('/') + 1)
  return last.startsWith('sim-') ? last : id
}

/** The request as a Call, for `scriptRequest`. */
function callOf(body: JsonObject, kind: Kind): Call {
  const absent = { credential: undefined, deadlineMs: undefined }
  const details = { id: '', dialect: 'together', model: spell(body['model']), includeUsage: asksUsage(body) }
  return { ...absent, ...details, kind, body: JsonText.of(body), stream: body['stream'] === true }
}

/** The body without a field that Together ignores. */
function knownFields(body: JsonObject): JsonObject {
  const { max_completion_tokens: _unknown, ...rest } = body
  return rest
}

async function answerCall(body: JsonObject, kind: Kind, service: Service): Promise<void> {
  const { exchange, id, options } = service
  const name = spell(body['model'])
  const model = service.models.get(name)
  const script = scriptOf(name, body, kind, service)
  const format = togetherFormat({
    ...{ kind, id, model: name },
    stream: body['stream'] === true,
    choices: typeof body['n'] === 'number' ? body['n'] : 1,
    engine: model?.engine ?? 'b',
    reportsUsage: model?.reportsUsageOnRequest !== true || asksUsage(body),
    opening: echoedPrompt(callOf(body, kind)),
    interruption: options.breaks ?? 'connection',
    refusal: (step) => refusalBy(step, name, service),
  })
  const counts = await playOpenAi(script, exchange, format)
  if (counts === undefined) return
  const { promptTokens, completionTokens } = counts
  exchange.charge({ model: name, promptTokens, cachedTokens: 0, completionTokens, workedMs: undefined })
}

function scriptOf(name: string, body: JsonObject, kind: Kind, { state }: Service): Script {
  return state.scriptFor(behaviourIn(name), scriptRequest(callOf(knownFields(body), kind)))
}

function asksUsage({ stream_options: options }: JsonObject): boolean {
  return isObject(options) && options['include_usage'] === true
}

function refusalBy(
  { status, error, retryAfterSeconds }: Refusal,
  model: string,
  service: Service,
): ErrorAnswer {
  const limit = service.options.limit ?? 'rate_limit'
  return service.errors.withStatus(status, { model, message: error.message, retryAfterSeconds, limit })
}

function answerVectors(body: JsonObject, vectors: typeof embeddingsFor, service: Service): void {
  const { exchange, id, errors } = service
  const counted = vectors(body, id)
  if (counted === undefined) {
    sendError(exchange, errors.invalid('The input must be text, or a list of texts.', null))
    return
  }
  const { reply, promptTokens } = counted
  const model = spell(body['model'])
  exchange.charge({ model, promptTokens, cachedTokens: 0, completionTokens: 0, workedMs: undefined })
  sendJson(exchange, reply)
}

function sendJson({ response }: Exchange, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
