import type Router from '@koa/router'
import type { Authenticator } from '../../core/authenticate.ts'
import type { AttemptLine, CallLine, Generation } from '../../core/model/call-line.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json.ts'
import { unknownPrice, usdText } from '../../core/model/price.ts'
import { apiKeyOf } from '../call/api-key.ts'
import { sendJson } from '../call/send.ts'
import { priceBody } from './price.ts'

export type GenerationParts = {
  readonly gate: Authenticator
  readonly generations: CallLookup
}

/** Finds a call that is over. Another caller's is as unknown as one that never was. */
export interface CallLookup {
  find(id: string, tenant: string): Generation | undefined
}

/** `GET {prefix}/generation?id=`: what happened to a call of the caller's own, by the id its answer bore. */
export function serveGeneration(
  router: Router,
  prefix: string,
  { gate, generations }: GenerationParts,
): void {
  router.get(`${prefix}/generation`, (ctx) => {
    const { id: tenant } = gate.admit(apiKeyOf(ctx.req))
    const { id } = ctx.query
    if (typeof id !== 'string' || id === '') {
      throw new Failure('invalid_request', 'Give one id: the x-request-id of the call.', { param: 'id' })
    }
    const generation = generations.find(id, tenant)
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
function rendered({ call, startedEpochMs }: Generation): JsonObject {
  return {
    id: call.requestId,
    upstream_id: upstreamIdOf(call),
    model: call.model ?? null,
    provider_name: call.provider ?? null,
    api_type: apiTypeOf(call),
    created_at: new Date(startedEpochMs).toISOString(),
    streamed: call.stream,
    cancelled: call.outcome === 'left',
    // In milliseconds, as all times here.
    latency: call.firstTokenMs ?? null,
    generation_time: generationMs(call),
    ...tokensOf(call),
    ...moneyOf(call),
    ...courseOf(call),
    attempts: call.attempts.map(attemptOf),
  }
}

/** What it was asked for; null where the request was refused before that was known. */
function apiTypeOf({ kind }: CallLine): string | null {
  return kind === 'text' ? 'completions' : (kind ?? null)
}

/** Of the answer that went to the caller; a call in several parts has the first part's. */
function upstreamIdOf({ attempts }: CallLine): string | null {
  return attempts.find(({ delivered }) => delivered)?.upstreamRequestId ?? null
}

/** From the first attempt's start to the last byte: what came before was reading, and choosing. */
function generationMs({ attempts: [first], totalMs }: CallLine): number | null {
  // Both are in hundredths: so is what lies between.
  return first === undefined ? null : Math.round((totalMs - first.startMs) * 100) / 100
}

/** Counts are the upstream's own, or an estimate: both of OpenRouter's kinds are the same here. */
function tokensOf(call: CallLine): JsonObject {
  const prompt = call.promptTokens ?? null
  const completion = call.completionTokens ?? null
  return {
    tokens_prompt: prompt,
    tokens_completion: completion,
    native_tokens_prompt: prompt,
    native_tokens_completion: completion,
    native_tokens_cached: call.cachedTokens ?? null,
    native_tokens_reasoning: call.reasoningTokens ?? null,
    tokens_estimated: call.usageEstimated ?? false,
  }
}

function moneyOf({
  costNanoUsd = null,
  baseline,
  baselineNanoUsd,
  savedNanoUsd,
  ...call
}: CallLine): JsonObject {
  return {
    // A number, as OpenRouter has it; the exact amount stands beside it.
    total_cost: costNanoUsd === null ? null : costNanoUsd / 1e9,
    cost_nano_usd: costNanoUsd,
    cost_usd: usdOf(costNanoUsd),
    cost_estimated: call.costEstimated ?? false,
    baseline: baseline?.deployment ?? null,
    baseline_nano_usd: baselineNanoUsd ?? null,
    baseline_usd: usdOf(baselineNanoUsd),
    saved_nano_usd: savedNanoUsd ?? null,
    saved_usd: usdOf(savedNanoUsd),
    cache: call.cache ?? null,
  }
}

function courseOf(call: CallLine): JsonObject {
  const { failure } = call
  return {
    dialect: call.dialect,
    deployment: call.deployment ?? null,
    status: call.status,
    outcome: call.outcome,
    // No more of it: a parameter's name, as an upstream's words, may repeat what was asked.
    failure: failure === undefined ? null : { kind: failure.kind, code: failure.code },
    parts: call.parts ?? 1,
    total_ms: call.totalMs,
    overhead_ms: call.overheadMs,
    backoff_ms: call.backoffMs ?? 0,
    dropped: call.dropped ?? [],
    converted: call.converted ?? [],
    flags: call.flags ?? [],
  }
}

function attemptOf(attempt: AttemptLine): JsonObject {
  const { used } = attempt
  return {
    deployment: attempt.deployment,
    part: attempt.part ?? 0,
    outcome: attempt.outcome,
    delivered: attempt.delivered ?? false,
    resumed: attempt.resumed ?? false,
    queued_ms: attempt.queuedMs ?? 0,
    start_ms: attempt.startMs,
    headers_ms: attempt.headersMs ?? null,
    first_token_ms: attempt.firstTokenMs ?? null,
    total_ms: attempt.totalMs,
    upstream_status: attempt.upstreamStatus ?? null,
    upstream_id: attempt.upstreamRequestId ?? null,
    price: priceBody({ ...unknownPrice, ...attempt.price }),
    used:
      used === undefined
        ? null
        : {
            prompt_tokens: used.promptTokens,
            cached_tokens: used.cachedTokens,
            completion_tokens: used.completionTokens,
            worked_ms: used.workedMs ?? null,
          },
    estimated: attempt.usageEstimated ?? false,
    uncertain: attempt.uncertain ?? false,
    cost_nano_usd: attempt.costNanoUsd ?? null,
    cost_usd: usdOf(attempt.costNanoUsd),
  }
}

function usdOf(nanoUsd: number | null | undefined): string | null {
  return nanoUsd === undefined || nanoUsd === null ? null : usdText(nanoUsd)
}
