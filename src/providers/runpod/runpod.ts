import * as z from 'zod'
import type { Call } from '../../core/model/call.ts'
import type { Lack, Upstream, UpstreamHardware } from '../../core/model/ports.ts'
import {
  addressSetting,
  boundsSettings,
  keySettingOf,
  oneChoiceOf,
  secretSetting,
  upstreamBase,
} from '../base/common-settings.ts'
import type { Provider, ProviderTools } from '../base/provider.ts'
import { type RequestContext, readHttpError } from '../http-error/http-error.ts'
import { reasoningByBothNames } from '../openai/adaptations.ts'
import { createOpenAiCompatible } from '../openai/openai-compatible.ts'
import { outsideCalls } from '../openai/probe-requests.ts'
import { continueFinalMessage } from '../openai/request.ts'
import { replyBytes } from '../openai/stream.ts'
import { createWire, requestHeaders } from '../wire/wire.ts'
import { parseAnswer } from '../wire/wire-answer.ts'
import { defaultUrl, endpointAddress } from './address.ts'
import { createJobApi } from './api.ts'
import { workerFailureIn } from './error.ts'
import { readGpuPrices } from './gpu-prices.ts'
import { type HealthParts, queueHealth, workerHealth } from './health.ts'
import { jobRequest, type Worker, workers } from './input.ts'
import { streamedJob, wholeJob } from './job.ts'

const ownCatalogUrl = 'https://api.runpod.io/v2'

const settings = z
  .strictObject({
    // A starting worker loads its model first, which takes minutes.
    ...boundsSettings({ connectMs: 5000, firstTokenMs: 300_000, idleMs: 30_000, totalMs: 600_000 }),
    /** The endpoint's id is appended; with `loadBalancer`, `/v1` is. */
    baseUrl: addressSetting.default(defaultUrl),
    /** `/catalog/gpus` is appended to request the prices of GPUs. */
    catalogUrl: addressSetting.default(ownCatalogUrl),
    endpointId: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)
      .meta({ expected: 'the id of an endpoint: letters, digits, - and _' }),
    apiKey: secretSetting.optional(),
    /** `openai`: the worker serves OpenAI's paths. `jobs`: any worker, through the job API. */
    mode: z.enum(['openai', 'jobs']).default('openai'),
    /** The worker. It decides the input format of jobs. Output is read in any format. */
    worker: z.enum(workers).default('vllm'),
    /** The endpoint has no queue: its workers are called directly. */
    loadBalancer: z.boolean().default(false),
    /** The time that the job API holds a request before the job must be polled. */
    waitMs: z.int().min(1000).max(300_000).default(10_000),
    /** Model names to list to callers. */
    models: z.array(z.string().min(1)).default([]),
  })
  .refine(({ mode, loadBalancer }) => !loadBalancer || mode === 'openai', {
    path: ['loadBalancer'],
    error: 'false with the mode jobs, because jobs need a queue',
  })

/**
 * A serverless endpoint at RunPod. Its models are not listed, because the request would be a job and start a worker.
 */
export const runpod: Provider<RunpodSettings> = { type: 'runpod', settings, create }

export type RunpodSettings = z.infer<typeof settings>

function create(name: string, given: RunpodSettings, tools: ProviderTools): Upstream {
  return given.mode === 'jobs' ? createJobs(name, given, tools) : createOpenAi(name, given, tools)
}

function createOpenAi(name: string, given: RunpodSettings, tools: ProviderTools): Upstream {
  const { apiKey, clocks, concurrency, queueMs, queueLimit, retries, retryDelayMs, onAbort, models } = given
  const { openAiUrl: baseUrl, healthPath } = endpointAddress(given)
  const common = {
    apiKey,
    clocks,
    concurrency,
    queueMs,
    queueLimit,
    retries,
    retryDelayMs,
    onAbort,
    models,
    headers: {},
    oneChoice: oneChoiceOf(false),
  }
  const inner = createOpenAiCompatible(name, { ...common, baseUrl }, tools, {
    needsKey: needsKey(given),
    keySetting: keySettingOf(name, runpod.type),
    ...(given.baseUrl === defaultUrl ? { addressSetting: `providers.${name}.endpointId` } : {}),
    // This path has a queue too, so an answer may be the error of a failed job.
    readError: workerFailureIn,
    prefix: continueFinalMessage,
    adapt: reasoningByBothNames,
    lacks: vllmLacks,
  })
  const control = controlOf(name, given, tools)
  const catalog = createGpuCatalog(name, given, tools)
  const asking = (): HealthParts => ({ ...control, path: healthPath, asked: askedBy(name, given, tools, '') })
  return {
    ...inner,
    // Behind the load balancer, the worker itself answers the health request. For a queue, RunPod does.
    healthWakes: given.loadBalancer,
    health: (signal) => (given.loadBalancer ? workerHealth(asking(), signal) : queueHealth(asking(), signal)),
    ...catalog.asking,
    async close() {
      await Promise.all([inner.close(), control.wire.close(), catalog.close()])
    },
  }
}

function createJobs(name: string, given: RunpodSettings, tools: ProviderTools): Upstream {
  const { clocks, concurrency, waitMs, worker } = given
  const { origin, prefix, healthPath } = endpointAddress(given)
  const control = controlOf(name, given, tools)
  const { connectMs } = clocks
  const wire = createWire({ name, origin, connectMs, connections: concurrency, clock: tools.clock })
  const api = createJobApi({ wire, controlWire: control.wire, headers: control.headers, prefix, waitMs })
  const catalog = createGpuCatalog(name, given, tools)
  const input = { worker, provider: name, detokenizer: tools.detokenizer }
  const partsFor = (call: Call) => ({
    api,
    asked: { ...askedBy(name, given, tools, call.model), request: () => call.body.text },
    request: (...asked: Parameters<Upstream['send']>) => jobRequest(...asked, input),
  })
  return {
    ...upstreamBase(name, given),
    oneChoice: oneChoiceOf(worker === 'vllm-old'),
    lacks: lacksOf[worker],
    knownModels: given.models,
    admits: () => given.apiKey !== undefined || !needsKey(given),
    keySetting: keySettingOf(name, runpod.type),
    send: (call, attempt) =>
      call.stream ? streamedJob(call, attempt, partsFor(call)) : wholeJob(call, attempt, partsFor(call)),
    health: (signal) =>
      queueHealth({ ...control, path: healthPath, asked: askedBy(name, given, tools, '') }, signal),
    ...catalog.asking,
    async close() {
      await api.settle()
      await Promise.all([wire.close(), control.wire.close(), catalog.close()])
    },
  }
}

/** vLLM accepts best_of, and ignores it. */
const vllmLacks: readonly Lack[] = ['best_of', 'custom_tools']

const lacksOf: Readonly<Record<Worker, readonly Lack[] | undefined>> = {
  vllm: vllmLacks,
  'vllm-old': ['echo', 'suffix', 'best_of', 'logprobs', 'custom_tools'],
  any: undefined,
}

/** RunPod's own address requires a key. */
function needsKey({ baseUrl }: RunpodSettings): boolean {
  return baseUrl === defaultUrl
}

/** Connections for requests that must not queue behind calls: cancellations and health. */
function controlOf(name: string, given: RunpodSettings, { clock, userAgent }: ProviderTools) {
  const { apiKey, clocks } = given
  const { origin } = endpointAddress(given)
  const wire = createWire({ name, origin, connectMs: clocks.connectMs, connections: 8, clock })
  return { wire, headers: requestHeaders(userAgent, apiKey === undefined ? undefined : `Bearer ${apiKey}`) }
}

/**
 * RunPod's own catalogue for endpoints at its own address. For other addresses, the configured one or none. It requires
 * a key.
 */
function createGpuCatalog(name: string, given: RunpodSettings, tools: ProviderTools) {
  const { apiKey, baseUrl, clocks, catalogUrl } = given
  const isElsewhere = baseUrl !== defaultUrl && catalogUrl === ownCatalogUrl
  if (apiKey === undefined || isElsewhere) return { asking: {}, close: async () => undefined }
  const { origin, pathname } = new URL(catalogUrl)
  const wire = createWire({ name, origin, connectMs: clocks.connectMs, connections: 1, clock: tools.clock })
  const headers = requestHeaders(tools.userAgent, `Bearer ${apiKey}`)
  const path = `${pathname.replace(/\/$/, '')}/catalog/gpus`
  const listHardware = async (signal: AbortSignal): Promise<readonly UpstreamHardware[]> => {
    const answer = await wire.get(path, headers, outsideCalls(`${name}-gpus`, signal))
    if (answer.status < 200 || answer.status >= 300)
      throw await readHttpError(answer, askedBy(name, given, tools, ''))
    return readGpuPrices(parseAnswer(await answer.text(replyBytes)))
  }
  return { asking: { listHardware }, close: () => wire.close() }
}

function askedBy(
  name: string,
  { apiKey }: RunpodSettings,
  { clock }: ProviderTools,
  model: string,
): RequestContext {
  return {
    provider: name,
    model,
    key: apiKey === undefined ? 'none' : 'ours',
    keySetting: keySettingOf(name, runpod.type),
    secrets: apiKey === undefined ? [] : [apiKey],
    epochMs: clock.epochMs(),
  }
}
