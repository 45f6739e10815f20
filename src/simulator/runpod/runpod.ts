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
  type Exchange,
  type ServerOptions,
  type SimulatedServer,
  startSimulatedServer,
} from '../server/simulated-server.ts'
import type { ErrorForm } from './errors.ts'
import { vllmFormat } from './format.ts'
import { failureOutcomeOf, garbage, garbageModel } from './job-failures.ts'
import { createJobStore, type JobStore, type SimulatedJob, type Work, waitForJob } from './jobs.ts'
import { createLimiter, type Limits, type Operation, operations } from './limits.ts'
import { type ParsedInput, parsedInputOf, readInput } from './request.ts'
import { type Generation, workOn } from './work.ts'
import { createWorkers, type Workers } from './workers.ts'

export type RunpodOptions = Omit<ServerOptions, 'tariff'> & {
  /** The price per second of work; undefined: that of a GPU with 24 GB. */
  readonly nanoUsdPerSecond?: number | undefined
  /** The generation of the worker, which decides the output's format. Input is accepted in every form. */
  readonly generation?: Generation | undefined
  /** The form of errors; undefined: selected by the worker's generation and the request. */
  readonly errorForm?: ErrorForm | undefined
  /** The model for input that names none. */
  readonly model?: string | undefined
  /** The maximum number of workers, their start-up time, and the time for which an idle worker stays up. */
  readonly workers?: number | undefined
  readonly coldMs?: number | undefined
  readonly idleMs?: number | undefined
  /** The maximum time for which `/runsync` holds a request. */
  readonly longestWaitMs?: number | undefined
  /** The times for which a finished job is known, and for which its output can be streamed. */
  readonly keptMs?: number | undefined
  readonly streamedMs?: number | undefined
  readonly fragmentBytes?: number | undefined
  /** The maximum number of requests per 10 s, by operation. */
  readonly limits?: Limits | undefined
}

/**
 * One serverless endpoint of RunPod over HTTP, below `/v2/{any id}`: the job API and OpenAI's path, with a queue and
 * workers that start, idle and stop. A model's name, or the part after its last slash, encodes its behaviour.
 */
export async function simulateRunpod(options: RunpodOptions): Promise<SimulatedServer> {
  const closing = new AbortController()
  const now = () => performance.now()
  const { workers: maxWorkers = 3, coldMs = 0, idleMs = 5000, nanoUsdPerSecond = 190_000 } = options
  const workers = createWorkers({ maxWorkers, coldMs, idleMs, now, closing: closing.signal })
  const endpoint: Omit<Endpoint, 'bill'> = {
    ...{ options, workers, now, state: createSimulatorState(options.slowMs) },
    jobs: createJobStore({ workers, now, closing: closing.signal }),
    isOverLimit: createLimiter(options.limits ?? {}, now),
  }
  const price: Price = { ...unknownPrice, nanoUsdPerSecond }
  const server = await startSimulatedServer({ ...options, tariff: () => price }, (exchange) =>
    answer(exchange, { ...endpoint, bill: () => server.bill() }),
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
  readonly jobs: JobStore
  readonly state: SimulatorState
  readonly now: () => number
  readonly isOverLimit: (operation: Operation) => boolean
}

async function answer(exchange: Exchange, endpoint: Endpoint): Promise<void> {
  const { method, path, headers } = exchange.request
  const { pathname, searchParams } = new URL(path, 'http://simulated')
  const [, version, , operation = '', ...rest] = pathname.split('/')
  const { key } = endpoint.options
  // RunPod does not document the bodies of these answers.
  if (key !== undefined && headers['authorization'] !== `Bearer ${key}`) return send(exchange, 401)
  const handle = handlers.get(`${method} ${operation}`)
  if (version !== 'v2' || handle === undefined) return send(exchange, 404)
  const limited = operations.find((one) => one === operation)
  if (limited !== undefined && endpoint.isOverLimit(limited)) return send(exchange, 429)
  await handle({ exchange, endpoint, rest: rest.join('/'), waitMs: waitIn(searchParams) })
}

type Task = {
  readonly exchange: Exchange
  readonly endpoint: Endpoint
  /** The path after the operation. */
  readonly rest: string
  readonly waitMs: number
}

const handlers: ReadonlyMap<string, (task: Task) => void | Promise<void>> = new Map([
  ['POST run', run],
  ['POST runsync', runSync],
  ['GET status', (task: Task) => sendReport(task, (job) => job.report())],
  ['GET stream', (task: Task) => sendReport(task, (job) => job.streamed())],
  ['POST cancel', cancel],
  ['GET health', sendHealth],
  ['POST openai', runOpenAi],
  ['GET serverless', sendBill],
])

function waitIn(searchParams: URLSearchParams): number {
  const given = Number(searchParams.get('wait') ?? 90_000)
  return Math.min(Math.max(given, 1000), 300_000)
}

/** `GET /v2/billing/serverless`: the whole bill as one day, today. */
function sendBill({ exchange, endpoint }: Task): void {
  const { searchParams } = new URL(exchange.request.path, 'http://simulated')
  const totalAmount = endpoint.bill().reduce((sum, { nanoUsd = 0 }) => sum + nanoUsd, 0) / 1e9
  const day = new Date().toISOString().slice(0, 10)
  const range = { startTime: `${day}T00:00:00Z`, endTime: `${nextDay(day)}T00:00:00Z` }
  const amounts = { totalAmount, gpuAmount: totalAmount, cpuAmount: 0, diskAmount: 0, feeAmount: 0 }
  const serverlessId = searchParams.get('serverlessId') ?? 'simulated'
  const query = { ...range, bucketSize: 'day', serverlessId }
  const metadata = { query, recordCount: 1, uniqueServerlessCount: 1, totals: amounts }
  send(exchange, 200, { records: [{ ...range, ...amounts, serverlessId }], metadata })
}

function nextDay(day: string): string {
  return new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10)
}

async function run(task: Task): Promise<void> {
  const job = await create(task, false)
  if (job !== undefined) send(task.exchange, 200, job.report())
}

async function runSync(task: Task): Promise<void> {
  const { exchange, endpoint, waitMs } = task
  const job = await create(task, true)
  if (job === undefined) return
  await waitForJob(job, Math.min(waitMs, endpoint.options.longestWaitMs ?? waitMs), exchange.signal)
  send(exchange, 200, job.report())
}

/** Creates a job. Undefined if there is none, because an error was already sent. */
async function create({ exchange, endpoint }: Task, isSync: boolean): Promise<SimulatedJob | undefined> {
  const input = parsed(exchange.request.body)?.['input']
  if (!isObject(input)) {
    send(exchange, 400, { error: 'input is required' })
    return undefined
  }
  const { options, jobs } = endpoint
  const asking = readInput(input)
  const model = asking?.model ?? options.model ?? 'simulated'
  const script = asking === undefined ? [] : scriptOf(model, asking, endpoint)
  if (await isRefusedBeforeJob(script, exchange)) return undefined
  const { keptMs = isSync ? 60_000 : 1_800_000 } = options
  return jobs.create({
    ...{ isSync, keptMs, streamedMs: options.streamedMs ?? keptMs },
    work: workFor(model, asking, script, endpoint),
    charge: (executionMs) => charge(exchange, model, script, executionMs),
  })
}

function workFor(
  model: string,
  asking: ParsedInput | undefined,
  script: Script,
  { options }: Endpoint,
): Work {
  // The worker rejects a job without a request until the queue gives up.
  if (asking === undefined) return async () => ({ status: 'FAILED', error: 'job timed out after 1 retries' })
  const fate = failureOutcomeOf(model)
  if (fate !== undefined) return async () => fate
  const { generation = 'new', fragmentBytes = 100 } = options
  const { call } = asking
  const usual = generation === 'new' ? 'python' : call.stream ? 'handler' : 'exception'
  const errorForm = options.errorForm ?? usual
  return workOn({ script, call, model, generation, errorForm, fragmentBytes })
}

/** The default `max_tokens` of a worker up to 2.23. */
const oldDefaultTokens = 100

function scriptOf(model: string, { call }: ParsedInput, { options, state }: Endpoint): Script {
  const name = model.slice(model.lastIndexOf('/') + 1)
  const asked = scriptRequest(call)
  if ((options.generation ?? 'new') === 'new') return state.scriptFor(name, asked)
  const { prompt, promptTokens, maxTokens = oldDefaultTokens, stop } = asked
  // Older workers generate only text.
  return state.scriptFor(name, { kind: 'text', prompt, promptTokens, maxTokens, ...(stop && { stop }) })
}

/**
 * True if the platform refused the request, so that there is no job. The answer was then sent, or the connection
 * closed.
 */
async function isRefusedBeforeJob(script: Script, exchange: Exchange): Promise<boolean> {
  const step = script.find(({ type }) => type !== 'wait')
  if (step === undefined || !isPlatformFailure(step)) return false
  for (const { type, ...rest } of script)
    if (type === 'wait' && 'ms' in rest) await pause(rest.ms, exchange.signal)
  if (step.type === 'reset') {
    exchange.isClosedOnPurpose = true
    exchange.response.socket?.resetAndDestroy()
  } else if (step.type === 'refuse') {
    if (step.retryAfterSeconds !== undefined)
      exchange.response.setHeader('retry-after', step.retryAfterSeconds)
    send(exchange, step.status)
  }
  return true
}

function isPlatformFailure(step: Step): boolean {
  return step.type === 'reset' || (step.type === 'refuse' && (step.status === 401 || step.status === 429))
}

/** Charges a job. It is billed by the second; the token counts are only informative. */
function charge(exchange: Exchange, model: string, script: Script, workedMs: number): void {
  const finish = script.find((step) => step.type === 'finish')
  const { promptTokens = 0, completionTokens = 0 } = finish?.counts ?? {}
  exchange.charge({ model, promptTokens, cachedTokens: 0, completionTokens, workedMs })
}

function sendReport(
  { exchange, endpoint, rest }: Task,
  report: (job: SimulatedJob) => object | undefined,
): void {
  const job = endpoint.jobs.find(rest)
  const body = job === undefined ? undefined : report(job)
  if (body === undefined) send(exchange, 404)
  else send(exchange, 200, body)
}

async function cancel({ exchange, endpoint, rest }: Task): Promise<void> {
  const job = endpoint.jobs.find(rest)
  if (job === undefined) return send(exchange, 404)
  job.cancel()
  await job.over
  send(exchange, 200, job.report())
}

function sendHealth({ exchange, endpoint }: Task): void {
  send(exchange, 200, { jobs: endpoint.jobs.counts(), workers: endpoint.workers.counts() })
}

/** OpenAI's path: a job whose output is forwarded. RunPod does not document the form of a failed job here. */
async function runOpenAi({ exchange, endpoint, rest }: Task): Promise<void> {
  const kind = rest === 'v1/chat/completions' ? 'chat' : rest === 'v1/completions' ? 'text' : undefined
  const body = parsed(exchange.request.body)
  if (kind === undefined) return send(exchange, 404)
  if (body === undefined) return send(exchange, 400, { error: { message: 'Invalid JSON', code: 400 } })
  const asking = parsedInputOf(body, kind)
  const model = asking.model ?? endpoint.options.model ?? 'simulated'
  const script = scriptOf(model, asking, endpoint)
  if (await isRefusedBeforeJob(script, exchange)) return
  await endpoint.workers.take(exchange.signal)
  const startedAt = endpoint.now()
  try {
    const fate = failureOutcomeOf(model)
    if (model.endsWith(garbageModel)) send(exchange, 200, garbage)
    else if (fate !== undefined) send(exchange, 200, { id: `${exchange.number}-u1`, ...fate })
    else await playOpenAi(script, exchange, vllmFormat(asking.call, model))
  } finally {
    charge(exchange, model, script, Math.max(1, Math.round(endpoint.now() - startedAt)))
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

function send({ response }: Exchange, status: number, body?: object): void {
  if (body === undefined) response.writeHead(status).end()
  else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
