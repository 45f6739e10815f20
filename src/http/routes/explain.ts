import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Authenticator, Principal } from '../../core/authenticate.ts'
import type { Gateway } from '../../core/gateway.ts'
import type { AnyCall } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { JsonText } from '../../core/model/json/json-text.ts'
import { usdText } from '../../core/model/price.ts'
import type { ExplainedCandidate, Explanation } from '../../core/plan/explain.ts'
import { quoteExplained } from '../../core/quote.ts'
import { dialectOf } from '../../dialects/detect-dialect.ts'
import {
  type Dialect,
  type HeaderLookup,
  parseWhole,
  type RelayDialect,
  type WireFormat,
} from '../../dialects/shared/dialect.ts'
import { sendJson } from '../call/answer/send.ts'
import { apiKeyOf } from '../call/api-key.ts'
import type { BodyReader } from '../call/body.ts'
import { headerLookup } from '../call/header-lookup.ts'
import { previewAs } from '../call/tenant-call.ts'
import { holdBody } from './hold-body.ts'
import { knownPriceBody, presenceBody } from './price.ts'
import { type CountingParts, countTokens } from './prompt-tokens.ts'

export type ExplainParts = ExplainingParts & {
  readonly gate: Authenticator
  readonly readBody: BodyReader
}

/** The parts that an explanation needs. */
export type ExplainingParts = CountingParts & {
  readonly gateway: Pick<Gateway, 'explain'>
  readonly dialects: readonly Dialect[]
  readonly relays: readonly RelayDialect[]
  readonly strict: boolean
}

/**
 * `POST {prefix}/route/explain`: where a call with this body would go, and why. The dialect is recognised by the body's
 * shape, or named by `?dialect=` or `x-pandotate-dialect`. `?count=true` counts the prompt's tokens. The rules of the
 * key apply, including its hold. Nothing is sent upstream, held or recorded.
 */
export function serveExplain(router: Router, prefix: string, parts: ExplainParts): void {
  const { gate, readBody } = parts
  router.post(`${prefix}/route/explain`, async (ctx) => {
    const caller = gate.admit(apiKeyOf(ctx.req))
    const { json: body } = await readBody(ctx)
    const requestId = ctx.state['requestId'] as string
    const headers = headerLookup(ctx.req)
    const request = { body, dialect: namedIn(ctx, headers), headers, caller, requestId }
    const answer = await explained({ ...request, isCounted: ctx.query['count'] === 'true' }, parts)
    ctx.respond = false
    sendJson(ctx.req, ctx.res, 200, answer, ['x-request-id', requestId])
  })
}

/** A request to explain. */
export type ExplainedRequest = {
  readonly body: JsonText
  /** Undefined: the dialect is recognised by the body's shape. */
  readonly dialect: string | undefined
  readonly headers: HeaderLookup
  readonly caller: Pick<Principal, 'id' | 'credential' | 'tenant'>
  readonly requestId: string
  readonly isCounted: boolean
}

/**
 * Explains where the request would go now, and why, under its caller's rules. Throws the errors that the call would.
 */
export async function explained(
  { body, dialect: named, headers, caller, requestId, isCounted }: ExplainedRequest,
  parts: ExplainingParts,
): Promise<JsonObject> {
  const { gateway, strict } = parts
  const { id, credential, tenant } = caller
  const dialect = findDialect(named ?? dialectOf(body.value, headers), parts)
  const incoming = { body, credential, deadlineMs: undefined, strict, headers }
  const parsed = await parseWhole(dialect, { ...incoming, id: requestId, tenant: id })
  const { call, preview } =
    tenant === undefined ? { call: parsed, preview: undefined } : previewAs(tenant, parsed, headers)
  const explanation = gateway.explain(call)
  const quote = await quoteExplained(call, explanation)
  const hold = quote === undefined ? null : holdBody(quote, preview?.budgets(quote.failure) ?? [])
  const counted = isCounted ? await countedTokens(call, parts) : {}
  return rendered(explanation, dialect.name, counted, hold)
}

/** The named dialect. The query takes precedence over the header. */
function namedIn({ query }: Context, headers: HeaderLookup): string | undefined {
  const named = query['dialect'] ?? headers('x-pandotate-dialect')
  return Array.isArray(named) ? named.join(', ') : named
}

function findDialect(name: string, { dialects, relays }: ExplainingParts): WireFormat<AnyCall> {
  const known: readonly WireFormat<AnyCall>[] = [...dialects, ...relays]
  const dialect = known.find((one) => one.name === name)
  if (dialect !== undefined) return dialect
  const names = anyOf.format(known.map((one) => one.name))
  throw new Failure('invalid_request', `Unknown dialect. Use one of ${names}.`, {
    param: 'dialect',
  })
}

const anyOf = new Intl.ListFormat('en-GB', { type: 'disjunction' })

async function countedTokens(call: AnyCall, parts: CountingParts): Promise<JsonObject> {
  const { count, estimated } = await countTokens(call, parts)
  return { prompt_tokens: count, prompt_tokens_exact: !estimated }
}

function rendered(
  explanation: Explanation,
  dialect: string,
  counted: JsonObject,
  hold: JsonObject | null,
): JsonObject {
  return {
    model: explanation.model,
    pattern: explanation.pattern,
    strategy: explanation.strategy,
    dialect,
    ...counted,
    // The estimate that routing uses, even if the tokens were counted.
    prompt_tokens_estimated: explanation.promptTokens,
    expected_completion_tokens: explanation.expectedCompletionTokens,
    candidates: explanation.candidates.map(candidateOf),
    plan: [...explanation.plan],
    hold,
  }
}

/** Unknown values are null. */
function candidateOf(candidate: ExplainedCandidate): JsonObject {
  const { expectedNanoUsd, removedBy } = candidate
  const nanoUsd = expectedNanoUsd === undefined ? undefined : Math.round(expectedNanoUsd)
  return {
    deployment: candidate.deployment,
    provider: candidate.provider,
    upstream_model: candidate.upstreamModel,
    price: knownPriceBody(candidate.price, candidate.priceOrigin),
    presence: presenceBody(candidate.presence),
    expected_cost_nano_usd: nanoUsd ?? null,
    expected_cost_usd: nanoUsd === undefined ? null : usdText(nanoUsd),
    score: candidate.score ?? null,
    breaker: candidate.breaker,
    share: candidate.share,
    removed_by: removedBy === undefined ? null : { filter: removedBy.filter, reason: removedBy.reason },
  }
}
