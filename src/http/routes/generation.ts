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

/** Finds finished calls. Calls of other callers are not found. */
export interface CallLookup {
  find(id: string, tenant: string): Found
  /** Finds a call of any caller, for operators. */
  findAny(id: string): Found
}

/** A promise if another process has to be queried. */
type Found = Generation | undefined | Promise<Generation | undefined>

/** `GET {prefix}/generation?id=`: the record of one of the caller's own calls, by its `x-request-id`. */
export function serveGeneration(
  router: Router,
  prefix: string,
  { gate, generations }: GenerationParts,
): void {
  router.get(`${prefix}/generation`, async (ctx) => {
    const find = finderFor(apiKeyOf(ctx.req), gate, generations)
    const { id } = ctx.query
    if (typeof id !== 'string' || id === '') {
      throw new Failure('invalid_request', 'Send exactly one id, the x-request-id of the call.', {
        param: 'id',
      })
    }
    const generation = await find(id)
    if (generation === undefined) throw notFound()
    ctx.respond = false
    const headers = ['x-request-id', ctx.state['requestId'] as string]
    sendJson(ctx.req, ctx.res, 200, { data: rendered(generation) }, headers)
  })
}

/** Callers find only their own calls. A management key with the role `read` finds all. */
function finderFor(
  bearer: string | undefined,
  gate: Authenticator,
  generations: CallLookup,
): (id: string) => Found {
  if (bearer !== undefined && isManager(bearer, gate)) return (id) => generations.findAny(id)
  const { id: tenant } = gate.admit(bearer)
  return (id) => generations.find(id, tenant)
}

/**
 * True for a management key. Without configured keys, everyone may manage, but a bearer still identifies its caller.
 */
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

/** The same error for an unknown id and for another caller's call. */
function notFound(): Failure {
  return new Failure('not_found', 'None of your calls has this id, or its record is no longer kept.', {
    param: 'id',
    code: 'generation_not_found',
  })
}

/** The body of a generation, under OpenRouter's names where they exist. Unknown values are null. */
export function rendered({ call, startedEpochMs }: Generation): JsonObject {
  const { failure } = call
  return {
    ...named(call, callFields),
    upstream_id: upstreamIdOf(call),
    api_type: apiTypeOf(call),
    created_at: new Date(startedEpochMs).toISOString(),
    cancelled: call.outcome === 'left',
    generation_time: generationMs(call),
    // OpenRouter distinguishes two kinds of counts. Here both are the upstream's counts or estimates.
    native_tokens_prompt: call.promptTokens ?? null,
    native_tokens_completion: call.completionTokens ?? null,
    ...moneyOf(call),
    // Other fields are left out, because a parameter's name or an upstream's text may repeat the request.
    failure: failure === undefined ? null : { kind: failure.kind, code: failure.code },
    attempts: call.attempts.map(attemptOf),
  }
}

/** The fields of a line that have a name in this API. */
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

/** The kind of call; null if the request was refused before it was known. */
function apiTypeOf({ kind }: CallLine): string | null {
  return kind === 'text' ? 'completions' : (kind ?? null)
}

/** The upstream's id of the delivered answer; for a split call, of its first part. */
function upstreamIdOf({ attempts }: CallLine): string | null {
  return attempts.find(({ delivered }) => delivered)?.upstreamRequestId ?? null
}

/** The time from the start of the first attempt to the last byte. Parsing and planning are not included. */
function generationMs({ attempts: [first], totalMs }: CallLine): number | null {
  // Both values have two decimal places; rounding removes the error of the subtraction.
  return first === undefined ? null : Math.round((totalMs - first.startMs) * 100) / 100
}

function moneyOf({ costNanoUsd, baseline, baselineNanoUsd, savedNanoUsd }: CallLine): JsonObject {
  return {
    // A number, as at OpenRouter. `cost_usd` is the exact amount.
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
