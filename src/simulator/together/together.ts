import type { Call } from '../../core/model/call.ts'
import { isObject, type JsonObject, parseJson, spell } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Price } from '../../core/model/price.ts'
import type { Kind } from '../../core/model/terms.ts'
import { readName } from '../script/behaviours.ts'
import { echoedPrompt, maxTokensIn, scriptRequest } from '../script/request.ts'
import type { Refusal, Script } from '../script/script.ts'
import { createSimulatorState, type SimulatorState } from '../script/state.ts'
import { embeddingsFor, rerankFor } from '../script/vectors.ts'
import { playOpenAi, type Refused, sendRefused } from '../server/openai-answer.ts'
import {
  type ServerOptions,
  type SimulatedServer,
  startSimulatedServer,
  type Visit,
} from '../server/simulated-server.ts'
import { createWindow } from '../server/window.ts'
import { type TogetherBreak, togetherFormat } from './answer.ts'
import { type TogetherErrors, type TogetherLimit, togetherErrors } from './error.ts'
import { listedRow, priceOf, type TogetherModel, togetherModels } from './models.ts'
import { faultIn } from './validation.ts'

export type TogetherOptions = Omit<ServerOptions, 'tariff'> & {
  /** The price list; names of behaviours work in addition. Undefined: a part of Together's own. */
  readonly models?: readonly TogetherModel[] | undefined
  /** The price of an unlisted model; undefined: unknown. */
  readonly otherPrice?: Price | undefined
  /** Requests per ten seconds; undefined: unlimited. */
  readonly most?: number | undefined
  /** The limit that a 429 names; undefined: the account's. */
  readonly limit?: TogetherLimit | undefined
  /** How a broken stream ends; undefined: with its connection. */
  readonly breaks?: TogetherBreak | undefined
}

/**
 * Together.ai's API over HTTP, with simulated models. A model's name, or the part after its last slash, spells its
 * behaviour: `meta-llama/sim-cut-3`. Other names have to be in the list. The newer engine runs unlisted ones.
 */
export async function simulateTogether(options: TogetherOptions): Promise<SimulatedServer> {
  const models = new Map((options.models ?? togetherModels).map((model) => [model.id, model]))
  const state = createSimulatorState(options.slowMs)
  const isTooMuch = createWindow(options.most ?? Number.POSITIVE_INFINITY, () => performance.now())
  const tariff = (id: string) => {
    const model = models.get(id)
    return model === undefined ? options.otherPrice : priceOf(model)
  }
  return await startSimulatedServer({ ...options, tariff }, (visit) => {
    const common = { visit, models, state, options, isTooMuch }
    return answer({ ...common, id: idOf(visit), errors: togetherErrors(idOf(visit)) })
  })
}

type Desk = {
  readonly visit: Visit
  readonly models: ReadonlyMap<string, TogetherModel>
  readonly state: SimulatorState
  readonly options: TogetherOptions
  readonly isTooMuch: () => boolean
  /** Of the request. */
  readonly id: string
  readonly errors: TogetherErrors
}

const chatRoute = '/v1/chat/completions'
const textRoute = '/v1/completions'
const vectorRoutes: ReadonlyMap<string, typeof embeddingsFor> = new Map([
  ['/v1/embeddings', embeddingsFor],
  ['/v1/rerank', rerankFor],
])

async function answer(desk: Desk): Promise<void> {
  const { visit, models, errors, options } = desk
  const { method, path, headers, body: text } = visit.request
  for (const [name, value] of Object.entries(everyAnswer)) visit.response.setHeader(name, value)
  const { pathname } = new URL(path, 'http://simulated')
  const isListing = method === 'GET' && pathname === '/v1/models'
  if (options.key !== undefined && headers['authorization'] !== `Bearer ${options.key}`) {
    sendRefused(visit, errors.unauthorized(isListing ? pathname : ''))
    return
  }
  if (isListing) {
    sendJson(visit, [...models.values()].map(listedRow))
    return
  }
  const vectors = vectorRoutes.get(pathname)
  const kind = pathname === chatRoute ? 'chat' : pathname === textRoute ? 'text' : undefined
  if (method !== 'POST' || (kind ?? vectors) === undefined) {
    sendRefused(visit, errors.notFound(pathname))
    return
  }
  const body = parsed(text)
  if (desk.isTooMuch()) {
    const limit = options.limit ?? 'rate_limit'
    const told = { model: spell(body?.['model']), message: '', retryAfterSeconds: undefined, limit }
    sendRefused(visit, errors.withStatus(429, told))
    return
  }
  const refused = body === undefined ? errors.invalid('Invalid JSON', null) : refusalOf(body, kind, desk)
  if (body === undefined || refused !== undefined) {
    if (refused !== undefined) sendRefused(visit, refused)
    return
  }
  if (kind !== undefined) await speak(body, kind, desk)
  else if (vectors !== undefined) tellVectors(body, vectors, desk)
}

/** Sent with every answer, over the limit or not. */
const everyAnswer = {
  'x-inference-version': 'v2',
  'x-ratelimit': 'false',
  'x-ratelimit-limit': '10',
  'x-ratelimit-remaining': '9',
  'x-ratelimit-reset': '2',
  'x-ratelimit-limit-tokens': '3000',
  'x-ratelimit-remaining-tokens': '2990',
  'retry-after': '2',
}

/** Three parts, the last one the edge's. */
function idOf({ number }: Visit): string {
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

/** Errors of the request before any model is called. */
function refusalOf(body: JsonObject, kind: Kind | undefined, desk: Desk): Refused | undefined {
  const { errors, models } = desk
  const { model: id } = body
  if (typeof id !== 'string' || id === '') return errors.invalid('model is required', 'model')
  const model = models.get(id)
  const { traits, fault } = readName(behaviourIn(id))
  if (model === undefined && (traits === undefined || traits.size === 0)) {
    return errors.unknownModel(id, fault)
  }
  if (model?.absence !== undefined) return errors.absentModel(id, model.absence)
  if (kind === undefined) return undefined
  const wrong = faultIn(body, kind)
  if (wrong !== undefined) return errors.invalid(wrong.message, wrong.param)
  if (model === undefined) return undefined
  const { promptTokens = 0 } = scriptRequest(callOf(body, kind))
  const maxTokens = maxTokensIn(known(body))
  const needed = promptTokens + (model.engine === 'a' ? (maxTokens ?? 0) : 0)
  return needed > model.contextTokens ? errors.tooLong(model, promptTokens, maxTokens) : undefined
}

/** The part of a model's name that spells its behaviour. */
function behaviourIn(id: string): string {
  const last = id.slice(id.lastIndexOf('/') + 1)
  return last.startsWith('sim-') ? last : id
}

/** A request in the form that the script's reader takes. */
function callOf(body: JsonObject, kind: Kind): Call {
  const absent = { credential: undefined, deadlineMs: undefined }
  const told = { id: '', dialect: 'together', model: spell(body['model']), includeUsage: asksUsage(body) }
  return { ...absent, ...told, kind, body: JsonText.of(body), stream: body['stream'] === true }
}

/** Fields unknown to Together change nothing. */
function known(body: JsonObject): JsonObject {
  const { max_completion_tokens: _unknown, ...rest } = body
  return rest
}

async function speak(body: JsonObject, kind: Kind, desk: Desk): Promise<void> {
  const { visit, id, options } = desk
  const name = spell(body['model'])
  const model = desk.models.get(name)
  const script = scriptOf(name, body, kind, desk)
  const format = togetherFormat({
    ...{ kind, id, model: name },
    stream: body['stream'] === true,
    choices: typeof body['n'] === 'number' ? body['n'] : 1,
    engine: model?.engine ?? 'b',
    tellsUsage: model?.tellsUsageIfAsked !== true || asksUsage(body),
    opening: echoedPrompt(callOf(body, kind)),
    breaks: options.breaks ?? 'connection',
    refusal: (step) => refusalBy(step, name, desk),
  })
  const counts = await playOpenAi(script, visit, format)
  if (counts === undefined) return
  const { promptTokens, completionTokens } = counts
  visit.charge({ model: name, promptTokens, cachedTokens: 0, completionTokens, workedMs: undefined })
}

function scriptOf(name: string, body: JsonObject, kind: Kind, { state }: Desk): Script {
  return state.scriptFor(behaviourIn(name), scriptRequest(callOf(known(body), kind)))
}

function asksUsage({ stream_options: options }: JsonObject): boolean {
  return isObject(options) && options['include_usage'] === true
}

function refusalBy({ status, error, retryAfterSeconds }: Refusal, model: string, desk: Desk): Refused {
  const limit = desk.options.limit ?? 'rate_limit'
  return desk.errors.withStatus(status, { model, message: error.message, retryAfterSeconds, limit })
}

function tellVectors(body: JsonObject, vectors: typeof embeddingsFor, desk: Desk): void {
  const { visit, id, errors } = desk
  const counted = vectors(body, id)
  if (counted === undefined) {
    sendRefused(visit, errors.invalid('The input must be text, or a list of texts.', null))
    return
  }
  const { reply, promptTokens } = counted
  const model = spell(body['model'])
  visit.charge({ model, promptTokens, cachedTokens: 0, completionTokens: 0, workedMs: undefined })
  sendJson(visit, reply)
}

function sendJson({ response }: Visit, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
