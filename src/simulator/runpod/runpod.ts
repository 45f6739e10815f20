import { performance } from 'node:perf_hooks'
import { pause } from '../../core/attempt/pause.ts'
import { isObject, type JsonObject, parseJson } from '../../core/model/json/json.ts'
import type { Price } from '../../core/model/price.ts'
import { unknownPrice } from '../../core/model/price.ts'
import { scriptRequest } from '../script/request.ts'
import type { Script, Step } from '../script/script.ts'
import { createSimulatorState, type SimulatorState } from '../script/state.ts'
import type { BillLine } from '../server/bill.ts'
import { playOpenAi } from '../server/openai-answer.ts'
import {
  type ServerOptions,
  type SimulatedServer,
  startSimulatedServer,
  type Visit,
} from '../server/simulated-server.ts'
import type { ErrorForm } from './errors.ts'
import { vllmFormat } from './format.ts'
import { fateOf, garbage, garbageModel } from './job-failures.ts'
import { createJobBook, type JobBook, overOrLate, type SimulatedJob, type Work } from './jobs.ts'
import { createLimiter, type Limits, type Operation, operations } from './limits.ts'
import { type Asking, askingIn, askingOf } from './request.ts'
import { type Generation, workOn } from './work.ts'
import { createWorkers, type Workers } from './workers.ts'

export type RunpodOptions = Omit<ServerOptions, 'tariff'> & {
  /** Per second of work; undefined: the price of a card with 24 GB. */
  readonly nanoUsdPerSecond?: number | undefined
  /** The worker, which decides the output's format. Input is accepted in every form. */
  readonly generation?: Generation | undefined
  /** Undefined: by the worker's generation and the request. */
  readonly errorForm?: ErrorForm | undefined
  /** The model of input that names none. */
  readonly model?: string | undefined
  /** The maximum of workers, how long one takes to start, and how long it stays up without work. */
  readonly workers?: number | undefined
  readonly coldMs?: number | undefined
  readonly idleMs?: number | undefined
  /** How long `/runsync` holds a request at most. */
  readonly longestWaitMs?: number | undefined
  /** How long a job is known, and its output can be streamed, after it has finished. */
  readonly keptMs?: number | undefined
  readonly streamedMs?: number | undefined
  readonly fragmentBytes?: number | undefined
  /** Requests per ten seconds. */
  readonly limits?: Limits | undefined
}

/**
 * One serverless endpoint of RunPod over HTTP, below `/v2/{any id}`: the job API and OpenAI's path, with a queue and
 * workers that start, idle and stop. A model's name, or the part after its last slash, spells its behaviour.
 */
export async function simulateRunpod(options: RunpodOptions): Promise<SimulatedServer> {
  const closing = new AbortController()
  const now = () => performance.now()
  const { workers: most = 3, coldMs = 0, idleMs = 5000, nanoUsdPerSecond = 190_000 } = options
  const workers = createWorkers({ most, coldMs, idleMs, now, closing: closing.signal })
  const endpoint: Omit<Endpoint, 'bill'> = {
    ...{ options, workers, now, state: createSimulatorState(options.slowMs) },
    jobs: createJobBook({ workers, now, closing: closing.signal }),
    isTooMuch: createLimiter(options.limits ?? {}, now),
  }
  const price: Price = { ...unknownPrice, nanoUsdPerSecond }
  const server = await startSimulatedServer({ ...options, tariff: () => price }, (visit) =>
    answer(visit, { ...endpoint, bill: () => server.bill() }),
  )
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      closing.abort()
      await server[Symbol.asyncDispose]()
    },
  }
}

type Endpoint = {
  readonly bill: () => readonly BillLine[]
  readonly options: RunpodOptions
  readonly workers: Workers
  readonly jobs: JobBook
  readonly state: SimulatorState
  readonly now: () => number
  readonly isTooMuch: (operation: Operation) => boolean
}

async function answer(visit: Visit, endpoint: Endpoint): Promise<void> {
  const { method, path, headers } = visit.request
  const { pathname, searchParams } = new URL(path, 'http://simulated')
  const [, version, , operation = '', ...rest] = pathname.split('/')
  const { key } = endpoint.options
  // The bodies of these answers are undocumented.
  if (key !== undefined && headers['authorization'] !== `Bearer ${key}`) return send(visit, 401)
  const handle = handlers.get(`${method} ${operation}`)
  if (version !== 'v2' || handle === undefined) return send(visit, 404)
  const limited = operations.find((one) => one === operation)
  if (limited !== undefined && endpoint.isTooMuch(limited)) return send(visit, 429)
  await handle({ visit, endpoint, rest: rest.join('/'), waitMs: waitIn(searchParams) })
}

type Task = {
  readonly visit: Visit
  readonly endpoint: Endpoint
  /** The path after the operation. */
  readonly rest: string
  readonly waitMs: number
}

const handlers: ReadonlyMap<string, (task: Task) => void | Promise<void>> = new Map([
  ['POST run', run],
  ['POST runsync', runSync],
  ['GET status', (task: Task) => tell(task, (job) => job.told())],
  ['GET stream', (task: Task) => tell(task, (job) => job.streamed())],
  ['POST cancel', cancel],
  ['GET health', tellHealth],
  ['POST openai', runOpenAi],
  ['GET serverless', tellBill],
])

function waitIn(searchParams: URLSearchParams): number {
  const given = Number(searchParams.get('wait') ?? 90_000)
  return Math.min(Math.max(given, 1000), 300_000)
}

/** `GET /v2/billing/serverless`: all of it on one day, today. */
function tellBill({ visit, endpoint }: Task): void {
  const { searchParams } = new URL(visit.request.path, 'http://simulated')
  const totalAmount = endpoint.bill().reduce((sum, { nanoUsd = 0 }) => sum + nanoUsd, 0) / 1e9
  const day = new Date().toISOString().slice(0, 10)
  const range = { startTime: `${day}T00:00:00Z`, endTime: `${nextDay(day)}T00:00:00Z` }
  const amounts = { totalAmount, gpuAmount: totalAmount, cpuAmount: 0, diskAmount: 0, feeAmount: 0 }
  const serverlessId = searchParams.get('serverlessId') ?? 'simulated'
  const query = { ...range, bucketSize: 'day', serverlessId }
  const metadata = { query, recordCount: 1, uniqueServerlessCount: 1, totals: amounts }
  send(visit, 200, { records: [{ ...range, ...amounts, serverlessId }], metadata })
}

function nextDay(day: string): string {
  return new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10)
}

async function run(task: Task): Promise<void> {
  const job = await create(task, false)
  if (job !== undefined) send(task.visit, 200, job.told())
}

async function runSync(task: Task): Promise<void> {
  const { visit, endpoint, waitMs } = task
  const job = await create(task, true)
  if (job === undefined) return
  await overOrLate(job, Math.min(waitMs, endpoint.options.longestWaitMs ?? waitMs), visit.signal)
  send(visit, 200, job.told())
}

/** Undefined if there is no job, and the answer was sent. */
async function create({ visit, endpoint }: Task, isSync: boolean): Promise<SimulatedJob | undefined> {
  const input = parsed(visit.request.body)?.['input']
  if (!isObject(input)) {
    send(visit, 400, { error: 'input is required' })
    return undefined
  }
  const { options, jobs } = endpoint
  const asking = askingIn(input)
  const model = asking?.model ?? options.model ?? 'simulated'
  const script = asking === undefined ? [] : scriptOf(model, asking, endpoint)
  if (await refusedAtDoor(script, visit)) return undefined
  const { keptMs = isSync ? 60_000 : 1_800_000 } = options
  return jobs.create({
    ...{ isSync, keptMs, streamedMs: options.streamedMs ?? keptMs },
    work: workFor(model, asking, script, endpoint),
    charge: (executionMs) => charge(visit, model, script, executionMs),
  })
}

function workFor(model: string, asking: Asking | undefined, script: Script, { options }: Endpoint): Work {
  // The worker drops a job without a request, until the queue gives up.
  if (asking === undefined) return async () => ({ status: 'FAILED', error: 'job timed out after 1 retries' })
  const fate = fateOf(model)
  if (fate !== undefined) return async () => fate
  const { generation = 'new', fragmentBytes = 100 } = options
  const { call } = asking
  const usual = generation === 'new' ? 'python' : call.stream ? 'handler' : 'exception'
  const errorForm = options.errorForm ?? usual
  return workOn({ script, call, model, generation, errorForm, fragmentBytes })
}

/** The default bound of a worker up to 2.23. */
const oldDefaultTokens = 100

function scriptOf(model: string, { call }: Asking, { options, state }: Endpoint): Script {
  const name = model.slice(model.lastIndexOf('/') + 1)
  const asked = scriptRequest(call)
  if ((options.generation ?? 'new') === 'new') return state.scriptFor(name, asked)
  const { prompt, promptTokens, maxTokens = oldDefaultTokens, stop } = asked
  // It generates text, and nothing else.
  return state.scriptFor(name, { kind: 'text', prompt, promptTokens, maxTokens, ...(stop && { stop }) })
}

/** True if the request never became a job: the answer was sent, or the connection is gone. */
async function refusedAtDoor(script: Script, visit: Visit): Promise<boolean> {
  const step = script.find(({ type }) => type !== 'wait')
  if (step === undefined || !isOfThePlatform(step)) return false
  for (const { type, ...rest } of script)
    if (type === 'wait' && 'ms' in rest) await pause(rest.ms, visit.signal)
  if (step.type === 'reset') {
    visit.broken = true
    visit.response.socket?.resetAndDestroy()
  } else if (step.type === 'refuse') {
    if (step.retryAfterSeconds !== undefined) visit.response.setHeader('retry-after', step.retryAfterSeconds)
    send(visit, step.status)
  }
  return true
}

function isOfThePlatform(step: Step): boolean {
  return step.type === 'reset' || (step.type === 'refuse' && (step.status === 401 || step.status === 429))
}

/** Billed by the second: the tokens are for the reader. */
function charge(visit: Visit, model: string, script: Script, workedMs: number): void {
  const finish = script.find((step) => step.type === 'finish')
  const { promptTokens = 0, completionTokens = 0 } = finish?.counts ?? {}
  visit.charge({ model, promptTokens, cachedTokens: 0, completionTokens, workedMs })
}

function tell({ visit, endpoint, rest }: Task, told: (job: SimulatedJob) => object | undefined): void {
  const job = endpoint.jobs.find(rest)
  const body = job === undefined ? undefined : told(job)
  if (body === undefined) send(visit, 404)
  else send(visit, 200, body)
}

async function cancel({ visit, endpoint, rest }: Task): Promise<void> {
  const job = endpoint.jobs.find(rest)
  if (job === undefined) return send(visit, 404)
  job.cancel()
  await job.over
  send(visit, 200, job.told())
}

function tellHealth({ visit, endpoint }: Task): void {
  send(visit, 200, { jobs: endpoint.jobs.counts(), workers: endpoint.workers.counts() })
}

/** A job like any other, whose output is forwarded as it comes. The form of a failed job here is undocumented. */
async function runOpenAi({ visit, endpoint, rest }: Task): Promise<void> {
  const kind = rest === 'v1/chat/completions' ? 'chat' : rest === 'v1/completions' ? 'text' : undefined
  const body = parsed(visit.request.body)
  if (kind === undefined) return send(visit, 404)
  if (body === undefined) return send(visit, 400, { error: { message: 'Invalid JSON', code: 400 } })
  const asking = askingOf(body, kind)
  const model = asking.model ?? endpoint.options.model ?? 'simulated'
  const script = scriptOf(model, asking, endpoint)
  if (await refusedAtDoor(script, visit)) return
  await endpoint.workers.take(visit.signal)
  const startedAt = endpoint.now()
  try {
    const fate = fateOf(model)
    if (model.endsWith(garbageModel)) send(visit, 200, garbage)
    else if (fate !== undefined) send(visit, 200, { id: `${visit.number}-u1`, ...fate })
    else await playOpenAi(script, visit, vllmFormat(asking.call, model))
  } finally {
    charge(visit, model, script, Math.max(1, Math.round(endpoint.now() - startedAt)))
    endpoint.workers.free()
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

function send({ response }: Visit, status: number, body?: object): void {
  if (body === undefined) response.writeHead(status).end()
  else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
