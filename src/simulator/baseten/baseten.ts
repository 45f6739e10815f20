import type { Call } from '../../core/model/call.ts'
import { isObject, type JsonObject, parseJson } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import { type Price, unknownPrice } from '../../core/model/price.ts'
import type { Kind } from '../../core/model/terms.ts'
import { readName } from '../script/behaviours.ts'
import { scriptRequest } from '../script/request.ts'
import type { Counts, Refusal, Script } from '../script/script.ts'
import { createSimulatorState, type SimulatorState } from '../script/state.ts'
import { playOpenAi, type Refused, sendRefused } from '../server/openai-answer.ts'
import {
  type ServerOptions,
  type SimulatedServer,
  startSimulatedServer,
  type Visit,
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
  /** The list of Model APIs; names of behaviours work in addition. Undefined: a part of Baseten's own. */
  readonly models?: readonly BasetenModel[] | undefined
  /** The price of a model of Model APIs that is not listed; undefined: unknown. */
  readonly otherPrice?: Price | undefined
  /** Requests for work per ten seconds; undefined: unlimited. */
  readonly most?: number | undefined
  /** How long a deployment takes to start, in milliseconds: it sleeps at first. Undefined: it is up. */
  readonly coldMs?: number | undefined
  /** The price of a deployment per second, in nano-USD; undefined: unknown. */
  readonly nanoUsdPerSecond?: number | undefined
  /** Monotonic milliseconds, for billed seconds. */
  readonly now?: (() => number) | undefined
}

/**
 * Baseten over HTTP, with simulated models: Model APIs below `/v1`, deployments below their targets
 * (`/production/sync/v1/...`, `/production/predict`), all on one origin. A model's name, or the part after its last
 * slash, spells its behaviour: `zai-org/sim-cut-3`. Model APIs are billed by tokens, a deployment by time, under the
 * name `deployment:production`.
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
  const desk: Desk = {
    ...{ key: options.key, models, now, state: createSimulatorState(options.slowMs) },
    isTooMuch: createWindow(options.most ?? Number.POSITIVE_INFINITY, now),
    replica(name) {
      const replica = replicas.get(name) ?? createReplica(coldMs, closing.signal)
      replicas.set(name, replica)
      return replica
    },
  }
  const server = await startSimulatedServer({ ...options, tariff }, (visit) => answer(visit, desk))
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      closing.abort()
      await server[Symbol.asyncDispose]()
    },
  }
}

type Desk = {
  readonly key: string | undefined
  readonly models: ReadonlyMap<string, BasetenModel>
  readonly state: SimulatorState
  readonly now: () => number
  readonly isTooMuch: () => boolean
  /** The replica of the deployment with this name. */
  replica(name: string): Replica
}

async function answer(visit: Visit, desk: Desk): Promise<void> {
  const { method, path, headers } = visit.request
  for (const [name, value] of Object.entries(everyAnswer(visit))) visit.response.setHeader(name, value)
  const route = basetenRoute(method, path)
  if (!isKey(headers['authorization'], route?.deployment !== undefined, desk.key)) sendRefused(visit, badKey)
  else if (route === undefined) sendRefused(visit, noRoute)
  else if (isWork(route.task) && desk.isTooMuch()) sendRefused(visit, sharedRefusal(tooMany, 'a'))
  else if (route.deployment === undefined) await serveShared(route, visit, desk)
  else await serveDeployment(route.deployment, route.task, visit, desk)
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

function everyAnswer({ number }: Visit): Readonly<Record<string, string>> {
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

/** Deployments also accept the older word. */
function isKey(given: unknown, isDeployment: boolean, key: string | undefined): boolean {
  return key === undefined || given === `Bearer ${key}` || (isDeployment && given === `Api-Key ${key}`)
}

async function serveShared({ task }: BasetenRoute, visit: Visit, desk: Desk): Promise<void> {
  if (task === 'models') {
    sendJson(visit, { data: [...desk.models.values()].map(listedRow) })
    return
  }
  const body = parsed(visit.request.body)
  const { model } = body ?? {}
  if (body === undefined || typeof model !== 'string' || !Array.isArray(body['messages'])) {
    sendRefused(visit, invalidCall(body === undefined ? 'Invalid JSON' : 'model and messages are required'))
    return
  }
  const { traits, fault } = readName(behaviourIn(model))
  const listed = desk.models.get(model)
  if (listed === undefined && (traits === undefined || traits.size === 0)) {
    sendRefused(visit, unknownModel(model, fault))
    return
  }
  const engine = listed?.engine ?? engineOf(model)
  const counts = await speak(callOf(body, 'chat'), { visit, desk, engine }, (step) =>
    sharedRefusal(step, engine),
  )
  if (counts === undefined) return
  const { promptTokens, completionTokens } = counts
  visit.charge({ model, promptTokens, cachedTokens: 0, completionTokens, workedMs: undefined })
}

async function serveDeployment(
  name: string,
  task: BasetenRoute['task'],
  visit: Visit,
  desk: Desk,
): Promise<void> {
  const replica = desk.replica(name)
  if (task === 'wake') {
    replica.wake()
    visit.response.writeHead(202).end()
    return
  }
  await replica.ready(visit.signal)
  if (task === 'health') sendJson(visit, {})
  else if (task === 'models')
    sendJson(visit, { object: 'list', data: [{ id: 'simulated', object: 'model' }] })
  else await work(name, task, visit, desk)
}

/** Anything a deployment does takes time, which is billed. */
async function work(name: string, task: Kind | 'predict', visit: Visit, desk: Desk): Promise<void> {
  const body = parsed(visit.request.body)
  if (body === undefined) {
    sendRefused(visit, trussError(400, 'Invalid JSON payload', '700'))
    return
  }
  const startedAt = desk.now()
  const counts = await (task === 'predict' ? predict(body, visit, desk) : serveSync(body, task, visit, desk))
  const { promptTokens = 0, completionTokens = 0 } = counts ?? {}
  const workedMs = Math.round(desk.now() - startedAt)
  visit.charge({ model: name, promptTokens, cachedTokens: 0, completionTokens, workedMs })
}

function serveSync(body: JsonObject, kind: Kind, visit: Visit, desk: Desk): Promise<Counts | undefined> {
  const call = callOf(body, kind)
  const engine = engineOf(call.model)
  return speak(call, { visit, desk, engine }, (step) => dedicatedRefusal(step, call.model))
}

/** A generator if a stream is requested, else a dictionary or the like. It supports prompts and messages. */
async function predict(body: JsonObject, visit: Visit, desk: Desk): Promise<Counts | undefined> {
  const call = callOf(body, Array.isArray(body['messages']) ? 'chat' : 'text')
  const refusal = (step: Refusal) => dedicatedRefusal(step, call.model)
  const { tool: _none, ...request } = scriptRequest(call)
  const script = desk.state.scriptFor(behaviourIn(call.model), request)
  return call.stream
    ? await playRawText(script, visit, refusal)
    : await playOpenAi(script, visit, predictFormat(call.model, refusal))
}

function speak(
  call: Call,
  { visit, desk, engine }: { readonly visit: Visit; readonly desk: Desk; readonly engine: BasetenEngine },
  refusal: (step: Refusal) => Refused,
): Promise<Counts | undefined> {
  const script: Script = desk.state.scriptFor(behaviourIn(call.model), scriptRequest(call))
  const n = call.body.value['n']
  const choices = typeof n === 'number' && Number.isInteger(n) && n > 0 && n <= 128 ? n : 1
  const id = `${call.kind === 'chat' ? 'chatcmpl' : 'cmpl'}-simulated${visit.number}`
  return playOpenAi(script, visit, basetenFormat({ call, id, engine, choices, script, refusal }))
}

/** The part of a model's name that spells its behaviour. */
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

function sendJson({ response }: Visit, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
