import type Router from '@koa/router'
import { Failure } from '../core/failure.ts'
import type { Gate } from '../core/gate.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import { usdText } from '../core/price.ts'
import type { AttemptRecord, CallRecord } from '../core/record.ts'
import { bearerOf } from './bearer.ts'
import { priceBody } from './price.ts'
import { sendJson } from './send.ts'

export type GenerationParts = {
  readonly gate: Gate
  readonly generations: CallLookup
}

/** Finds a call that is over. Another caller's is as unknown as one that never was. */
export interface CallLookup {
  find(id: string, principal: string | undefined): Generation | undefined
}

/** The record of a call; of how it failed only what kind of failure it was. */
type Generation = Omit<CallRecord, 'failure'> & {
  readonly failure: { readonly kind: string; readonly code: string | null } | undefined
}

/** `GET {prefix}/generation?id=`: what happened to a call of the caller's own, by the id its answer bore. */
export function serveGeneration(
  router: Router,
  prefix: string,
  { gate, generations }: GenerationParts,
): void {
  router.get(`${prefix}/generation`, (ctx) => {
    const { principal } = gate.admit(bearerOf(ctx.req))
    const { id } = ctx.query
    if (typeof id !== 'string' || id === '') {
      throw new Failure('invalid_request', 'Give one id: the x-request-id of the call.', { param: 'id' })
    }
    const generation = generations.find(id, principal)
    if (generation === undefined) throw notKept()
    ctx.respond = false
    const headers = ['x-request-id', ctx.state['requestId'] as string]
    sendJson(ctx.req, ctx.res, 200, { data: rendered(generation) }, headers)
  })
}

/** The same for an id that never was and for another caller's. */
function notKept(): Failure {
  return new Failure('not_found', 'No call of yours has this id, or it is kept no longer.', {
    param: 'id',
    code: 'generation_not_found',
  })
}

/** What OpenRouter has a name for goes by that name; what is not known is null. */
function rendered(generation: Generation): JsonObject {
  return {
    id: generation.id,
    upstream_id: upstreamIdOf(generation),
    model: generation.model ?? null,
    provider_name: generation.provider ?? null,
    api_type: apiTypeOf(generation),
    created_at: new Date(generation.startedEpochMs).toISOString(),
    streamed: generation.stream,
    cancelled: generation.outcome === 'left',
    // In milliseconds, as all times here.
    latency: generation.firstTokenMs ?? null,
    generation_time: generationMs(generation),
    ...tokensOf(generation),
    ...moneyOf(generation),
    ...courseOf(generation),
    attempts: generation.attempts.map(attemptOf),
  }
}

/** What it was asked for; null where the request was refused before that was known. */
function apiTypeOf({ kind }: Generation): string | null {
  return kind === 'text' ? 'completions' : (kind ?? null)
}

/** Of the answer that went to the caller; a call in several parts has the first part's. */
function upstreamIdOf({ attempts }: Generation): string | null {
  return attempts.find(({ isDelivered }) => isDelivered)?.upstreamRequestId ?? null
}

/** From the first attempt's start to the last byte: what came before was reading, and choosing. */
function generationMs({ attempts: [first], totalMs }: Generation): number | null {
  return first === undefined ? null : totalMs - first.startMs
}

/** Counts are the upstream's own, or an estimate: both of OpenRouter's kinds are the same here. */
function tokensOf({ usage, usageEstimated }: Generation): JsonObject {
  const prompt = usage?.prompt_tokens ?? null
  const completion = usage?.completion_tokens ?? null
  return {
    tokens_prompt: prompt,
    tokens_completion: completion,
    native_tokens_prompt: prompt,
    native_tokens_completion: completion,
    native_tokens_cached: detailOf(usage?.['prompt_tokens_details'], 'cached_tokens'),
    native_tokens_reasoning: detailOf(usage?.['completion_tokens_details'], 'reasoning_tokens'),
    tokens_estimated: usageEstimated,
  }
}

function detailOf(details: unknown, name: string): number | null {
  const count = isObject(details) ? details[name] : undefined
  return typeof count === 'number' ? count : null
}

function moneyOf(generation: Generation): JsonObject {
  const { costNanoUsd, baseline, baselineNanoUsd, savedNanoUsd } = generation
  return {
    // A number, as OpenRouter has it; the exact amount stands beside it.
    total_cost: costNanoUsd === undefined ? null : costNanoUsd / 1e9,
    cost_nano_usd: costNanoUsd ?? null,
    cost_usd: usdOf(costNanoUsd),
    cost_estimated: generation.costEstimated,
    baseline: baseline?.deployment ?? null,
    baseline_nano_usd: baselineNanoUsd ?? null,
    baseline_usd: usdOf(baselineNanoUsd),
    saved_nano_usd: savedNanoUsd ?? null,
    saved_usd: usdOf(savedNanoUsd),
    cache: generation.cache ?? null,
  }
}

function courseOf(generation: Generation): JsonObject {
  const { failure } = generation
  return {
    dialect: generation.dialect,
    deployment: generation.deployment ?? null,
    status: generation.status,
    outcome: generation.outcome,
    failure: failure === undefined ? null : { kind: failure.kind, code: failure.code },
    parts: generation.parts,
    total_ms: generation.totalMs,
    overhead_ms: generation.overheadMs,
    backoff_ms: generation.backoffMs,
    dropped: [...generation.dropped],
    converted: [...generation.converted],
    flags: [...generation.flags],
  }
}

function attemptOf(attempt: AttemptRecord): JsonObject {
  const { used } = attempt
  return {
    deployment: attempt.deployment,
    part: attempt.part,
    outcome: attempt.outcome,
    delivered: attempt.isDelivered,
    resumed: attempt.isResumed,
    queued_ms: attempt.queuedMs ?? 0,
    start_ms: attempt.startMs,
    headers_ms: attempt.headersMs ?? null,
    first_token_ms: attempt.firstTokenMs ?? null,
    total_ms: attempt.totalMs,
    upstream_status: attempt.upstreamStatus ?? null,
    upstream_id: attempt.upstreamRequestId ?? null,
    price: priceBody(attempt.price),
    used:
      used === undefined
        ? null
        : {
            prompt_tokens: used.promptTokens,
            cached_tokens: used.cachedTokens,
            completion_tokens: used.completionTokens,
            worked_ms: used.workedMs ?? null,
          },
    estimated: attempt.isEstimated,
    uncertain: attempt.isUncertain,
    cost_nano_usd: attempt.costNanoUsd ?? null,
    cost_usd: usdOf(attempt.costNanoUsd),
  }
}

function usdOf(nanoUsd: number | undefined): string | null {
  return nanoUsd === undefined ? null : usdText(nanoUsd)
}
