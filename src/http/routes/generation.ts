import type Router from '@koa/router'
import type { Authenticator } from '../../core/authenticate.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { unknownPrice, usdText } from '../../core/model/price.ts'
import type { AttemptLine, CallLine, Generation } from '../../core/model/record/call-line.ts'
import { attemptFields } from '../../core/model/record/fields/attempt-fields.ts'
import { callFields } from '../../core/model/record/fields/call-fields.ts'
import type { Fields } from '../../core/model/record/fields/field.ts'
import { sendJson } from '../call/answer/send.ts'
import { apiKeyOf } from '../call/api-key.ts'
import { priceBody } from './price.ts'

export type GenerationParts = {
  readonly gate: Authenticator
  readonly generations: CallLookup
}

/** Finds a finished call. Another caller's is as unknown as one that never existed. */
export interface CallLookup {
  find(id: string, tenant: string): Found
  /** Anyone's, for an operator. */
  findAny(id: string): Found
}

/** A promise if another process is asked. */
type Found = Generation | undefined | Promise<Generation | undefined>

/** `GET {prefix}/generation?id=`: what happened to one of the caller's own calls, by the id in its answer. */
export function serveGeneration(
  router: Router,
  prefix: string,
  { gate, generations }: GenerationParts,
): void {
  router.get(`${prefix}/generation`, async (ctx) => {
    const find = finderFor(apiKeyOf(ctx.req), gate, generations)
    const { id } = ctx.query
    if (typeof id !== 'string' || id === '') {
      throw new Failure('invalid_request', 'Send one id: the x-request-id of the call.', { param: 'id' })
    }
    const generation = await find(id)
    if (generation === undefined) throw notKept()
    ctx.respond = false
    const headers = ['x-request-id', ctx.state['requestId'] as string]
    sendJson(ctx.req, ctx.res, 200, { data: rendered(generation) }, headers)
  })
}

/** Callers find their own calls; a management key with the role `read` finds everyone's. */
function finderFor(
  bearer: string | undefined,
  gate: Authenticator,
  generations: CallLookup,
): (id: string) => Found {
  if (bearer !== undefined && isManager(bearer, gate)) return (id) => generations.findAny(id)
  const { id: tenant } = gate.admit(bearer)
  return (id) => generations.find(id, tenant)
}

/** Without configured keys everyone may manage, but a bearer still identifies its caller. */
function isManager(bearer: string, gate: Authenticator): boolean {
  try {
    return (
      gate.admitManager(bearer, 'read').role !== undefined &&
      gate.admitManager(bearer, 'read').id !== 'anyone'
    )
  } catch (thrown) {
    if (thrown instanceof Failure) return false
    throw thrown
  }
}

/** The same for an unknown id and for another caller's. */
function notKept(): Failure {
  return new Failure('not_found', 'None of your calls has this id, or it is no longer kept.', {
    param: 'id',
    code: 'generation_not_found',
  })
}

/** Under OpenRouter's names where there are any; unknown values are null. */
export function rendered({ call, startedEpochMs }: Generation): JsonObject {
  const { failure } = call
  return {
    ...named(call, callFields),
    upstream_id: upstreamIdOf(call),
    api_type: apiTypeOf(call),
    created_at: new Date(startedEpochMs).toISOString(),
    cancelled: call.outcome === 'left',
    generation_time: generationMs(call),
    // Counts are the upstream's, or estimates: OpenRouter's two kinds are the same here.
    native_tokens_prompt: call.promptTokens ?? null,
    native_tokens_completion: call.completionTokens ?? null,
    ...moneyOf(call),
    // No more of it: a parameter's name, like an upstream's text, may repeat the request.
    failure: failure === undefined ? null : { kind: failure.kind, code: failure.code },
    attempts: call.attempts.map(attemptOf),
  }
}

/** The members of a line that have a name in this API. */
function named(line: object, fields: Fields): JsonObject {
  const members: JsonObject = line as JsonObject
  const shown: JsonObject = {}
  for (const [name, { api, inner }] of Object.entries(fields)) {
    if (api === undefined) continue
    const value = members[name] ?? api.otherwise
    shown[api.name] =
      inner !== undefined && Array.isArray(value) ? value.map((one: object) => named(one, inner)) : value
  }
  return shown
}

/** The kind of call; null if the request was refused before that was known. */
function apiTypeOf({ kind }: CallLine): string | null {
  return kind === 'text' ? 'completions' : (kind ?? null)
}

/** Of the delivered answer; for a split call, the first part's. */
function upstreamIdOf({ attempts }: CallLine): string | null {
  return attempts.find(({ delivered }) => delivered)?.upstreamRequestId ?? null
}

/** From the first attempt's start to the last byte, without parsing and planning. */
function generationMs({ attempts: [first], totalMs }: CallLine): number | null {
  // Both are in hundredths, and so is their difference.
  return first === undefined ? null : Math.round((totalMs - first.startMs) * 100) / 100
}

function moneyOf({ costNanoUsd, baseline, baselineNanoUsd, savedNanoUsd }: CallLine): JsonObject {
  return {
    // A number, as in OpenRouter; the exact amount is beside it.
    total_cost: costNanoUsd === undefined || costNanoUsd === null ? null : costNanoUsd / 1e9,
    cost_usd: usdOf(costNanoUsd),
    baseline: baseline?.deployment ?? null,
    baseline_usd: usdOf(baselineNanoUsd),
    saved_usd: usdOf(savedNanoUsd),
  }
}

function attemptOf(attempt: AttemptLine): JsonObject {
  const { used } = attempt
  return {
    ...named(attempt, attemptFields),
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
    cost_usd: usdOf(attempt.costNanoUsd),
  }
}

function usdOf(nanoUsd: number | null | undefined): string | null {
  return nanoUsd === undefined || nanoUsd === null ? null : usdText(nanoUsd)
}
