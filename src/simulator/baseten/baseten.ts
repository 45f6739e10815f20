import type { Call } from '../../core/model/call.ts'
import { isObject, type JsonObject, parseJson } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import { type Price, unknownPrice } from '../../core/model/price.ts'
import type { Kind } from '../../core/model/terms.ts'
import { parseName } from '../script/behaviours.ts'
import { scriptRequest } from '../script/request.ts'
import type { Counts, Refusal, Script } from '../script/script.ts'
import { createSimulatorState, type SimulatorState } from '../script/state.ts'
import { type ErrorAnswer, playOpenAi, sendError } from '../server/openai-answer.ts'
import {
  type Exchange,
  type ServerOptions,
  type SimulatedServer,
  startSimulatedServer,
} from '../server/simulated-server.ts'
import { createWindow } from '../server/window.ts'
import { basetenFormat } from './answer.ts'
import {
  badKey,
  dedicatedRefusal,
  invalidCall,
  noRoute,
  sharedRefusal,
  trussError,
  unknownModel,
} from './error.ts'
import {
  type BasetenEngine,
  type BasetenModel,
  basetenModels,
  engineOf,
  listedRow,
  priceOf,
} from './models.ts'
import { playRawText, predictFormat } from './predict.ts'
import { createReplica, type Replica } from './replica.ts'
import { type BasetenRoute, basetenRoute } from './route.ts'

export type BasetenOptions = Omit<ServerOptions, 'tariff'> & {
  /** The models of Model APIs, in addition to names of behaviours. Undefined: a part of Baseten's own list. */
  readonly models?: readonly BasetenModel[] | undefined
  /** The price of a model of Model APIs that is not listed; undefined: unknown. */
  readonly otherPrice?: Price | undefined
  /** The maximum number of calls per 10 s; undefined: unlimited. */
  readonly maxRequests?: number | undefined
  /** The start-up time of a deployment in milliseconds. It sleeps at first. Undefined: it is up from the beginning. */
  readonly coldMs?: number | undefined
  /** The price of a deployment per second, in nano-USD; undefined: unknown. */
  readonly nanoUsdPerSecond?: number | undefined
  /** Monotonic milliseconds, for billed seconds. */
  readonly now?: (() => number) | undefined
}

/**
 * Baseten over HTTP, with simulated models. Model APIs are below `/v1`, deployments below their targets
 * (`/production/sync/v1/...`, `/production/predict`), all on one origin. A model's name, or the part after its last
 * slash, encodes its behaviour: `zai-org/sim-cut-3`. Model APIs are billed by the token, a deployment by time, under
 * the name `deployment:production`.
 */
export async function simulateBaseten(options: BasetenOptions): Promise<SimulatedServer> {
  const models = new Map((options.models ?? basetenModels).map((model) => [model.id, model]))
  const { nanoUsdPerSecond, coldMs, now = () => performance.now() } = options
  const tariff = (id: string) => {
    const model = models.get(id)
    if (model !== undefined) return priceOf(model)
    return isDeployment(id) ? { ...unknownPrice, nanoUsdPerSecond } : options.otherPrice
  }
  const closing = new AbortController()
  const replicas = new Map<string, Replica>()
  const service: Service = {
    ...{ key: options.key, models, now, state: createSimulatorState(options.slowMs) },
    isOverLimit: createWindow(options.maxRequests ?? Number.POSITIVE_INFINITY, now),
    replica(name) {
      const replica = replicas.get(name) ?? createReplica(coldMs, closing.signal)
      replicas.set(name, replica)
      return replica
    },
  }
  const server = await startSimulatedServer({ ...options, tariff }, (exchange) => answer(exchange, service))
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      closing.abort()
      await server[Symbol.asyncDispose]()
    },
  }
}

type Service = {
  readonly key: string | undefined
  readonly models: ReadonlyMap<string, BasetenModel>
  readonly state: SimulatorState
  readonly now: () => number
  readonly isOverLimit: () => boolean
  /** The replica of the deployment with this name. */
  replica(name: string): Replica
}

async function answer(exchange: Exchange, service: Service): Promise<void> {
  const { method, path, headers } = exchange.request
  for (const [name, value] of Object.entries(commonHeaders(exchange)))
    exchange.response.setHeader(name, value)
  const route = basetenRoute(method, path)
  if (!isKey(headers['authorization'], route?.deployment !== undefined, service.key))
    sendError(exchange, badKey)
  else if (route === undefined) sendError(exchange, noRoute)
  else if (isWork(route.task) && service.isOverLimit()) sendError(exchange, sharedRefusal(tooMany, 'a'))
  else if (route.deployment === undefined) await serveShared(route, exchange, service)
  else await serveDeployment(route.deployment, route.task, exchange, service)
}

function isDeployment(id: string): boolean {
  return id.startsWith('deployment:')
}

function isWork(task: BasetenRoute['task']): boolean {
  return task === 'chat' || task === 'text' || task === 'predict'
}

const tooMany: Refusal = {
  type: 'refuse',
  status: 429,
  error: { message: 'Rate limit exceeded.', type: 'rate_limited', param: null, code: null },
}

function commonHeaders({ number }: Exchange): Readonly<Record<string, string>> {
  return {
    'x-baseten-request-id': `simulated-${number}`,
    'x-baseten-accepted-at': String(acceptedAtMs + number),
    'x-baseten-model-id': 'simulated',
    'x-baseten-model-version-id': 'simulated-1',
    'x-baseten-model-prediction-attempts': '1',
    via: '1.1 google',
  }
}

/** Deterministic: the same request gets the same answer. */
const acceptedAtMs = 1_780_264_253_000

/** Deployments also accept the older scheme `Api-Key`. */
function isKey(given: unknown, isDeployment: boolean, key: string | undefined): boolean {
  return key === undefined || given === `Bearer ${key}` || (isDeployment && given === `Api-Key ${key}`)
}

async function serveShared({ task }: BasetenRoute, exchange: Exchange, service: Service): Promise<void> {
  if (task === 'models') {
    sendJson(exchange, { data: [...service.models.values()].map(listedRow) })
    return
  }
  const body = parsed(exchange.request.body)
  const { model } = body ?? {}
  if (body === undefined || typeof model !== 'string' || !Array.isArray(body['messages'])) {
    sendError(exchange, invalidCall(body === undefined ? 'Invalid JSON' : 'model and messages are required'))
    return
  }
  const { traits, fault } = parseName(behaviourIn(model))
  const listed = service.models.get(model)
  if (listed === undefined && (traits === undefined || traits.size === 0)) {
    sendError(exchange, unknownModel(model, fault))
    return
  }
  const engine = listed?.engine ?? engineOf(model)
  const counts = await answerCall(callOf(body, 'chat'), { exchange, service, engine }, (step) =>
    sharedRefusal(step, engine),
  )
  if (counts === undefined) return
  const { promptTokens, completionTokens } = counts
  exchange.charge({ model, promptTokens, cachedTokens: 0, completionTokens, workedMs: undefined })
}

async function serveDeployment(
  name: string,
  task: BasetenRoute['task'],
  exchange: Exchange,
  service: Service,
): Promise<void> {
  const replica = service.replica(name)
  if (task === 'wake') {
    replica.wake()
    exchange.response.writeHead(202).end()
    return
  }
  await replica.ready(exchange.signal)
  if (task === 'health') sendJson(exchange, {})
  else if (task === 'models')
    sendJson(exchange, { object: 'list', data: [{ id: 'simulated', object: 'model' }] })
  else await work(name, task, exchange, service)
}

/** Runs a call at a deployment, and bills its time. */
async function work(
  name: string,
  task: Kind | 'predict',
  exchange: Exchange,
  service: Service,
): Promise<void> {
  const body = parsed(exchange.request.body)
  if (body === undefined) {
    sendError(exchange, trussError(400, 'Invalid JSON payload', '700'))
    return
  }
  const startedAt = service.now()
  const counts = await (task === 'predict'
    ? predict(body, exchange, service)
    : serveSync(body, task, exchange, service))
  const { promptTokens = 0, completionTokens = 0 } = counts ?? {}
  const workedMs = Math.round(service.now() - startedAt)
  exchange.charge({ model: name, promptTokens, cachedTokens: 0, completionTokens, workedMs })
}

function serveSync(
  body: JsonObject,
  kind: Kind,
  exchange: Exchange,
  service: Service,
): Promise<Counts | undefined> {
  const call = callOf(body, kind)
  const engine = engineOf(call.model)
  return answerCall(call, { exchange, service, engine }, (step) => dedicatedRefusal(step, call.model))
}

/** Answers `predict` with a prompt or messages: with raw text if a stream is requested, otherwise with JSON. */
async function predict(body: JsonObject, exchange: Exchange, service: Service): Promise<Counts | undefined> {
  const call = callOf(body, Array.isArray(body['messages']) ? 'chat' : 'text')
  const refusal = (step: Refusal) => dedicatedRefusal(step, call.model)
  const { tool: _none, ...request } = scriptRequest(call)
  const script = service.state.scriptFor(behaviourIn(call.model), request)
  return call.stream
    ? await playRawText(script, exchange, refusal)
    : await playOpenAi(script, exchange, predictFormat(call.model, refusal))
}

function answerCall(
  call: Call,
  {
    exchange,
    service,
    engine,
  }: { readonly exchange: Exchange; readonly service: Service; readonly engine: BasetenEngine },
  refusal: (step: Refusal) => ErrorAnswer,
): Promise<Counts | undefined> {
  const script: Script = service.state.scriptFor(behaviourIn(call.model), scriptRequest(call))
  const n = call.body.value['n']
  const choices = typeof n === 'number' && Number.isInteger(n) && n > 0 && n <= 128 ? n : 1
  const id = `${call.kind === 'chat' ? 'chatcmpl' : 'cmpl'}-simulated${exchange.number}`
  return playOpenAi(script, exchange, basetenFormat({ call, id, engine, choices, script, refusal }))
}

/** The part of a model's name that encodes its behaviour. */
function behaviourIn(id: string): string {
  const last = id.slice(id.lastIndexOf('/') + 1)
  return last.startsWith('sim-') ? last : id
}

function callOf(body: JsonObject, kind: Kind): Call {
  const absent = { credential: undefined, deadlineMs: undefined }
  const options = body['stream_options']
  const includeUsage = isObject(options) && options['include_usage'] === true
  const model = typeof body['model'] === 'string' ? body['model'] : ''
  return {
    ...absent,
    id: '',
    dialect: 'baseten',
    model,
    includeUsage,
    kind,
    body: JsonText.of(body),
    stream: body['stream'] === true,
  }
}

function parsed(text: string): JsonObject | undefined {
  try {
    const body = parseJson(text)
    return isObject(body) ? body : undefined
  } catch {
    return undefined
  }
}

function sendJson({ response }: Exchange, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
