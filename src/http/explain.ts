import type Router from '@koa/router'
import type { Context } from 'koa'
import type { ExplainedCandidate, Explanation } from '../core/explain.ts'
import type { Gate } from '../core/gate.ts'
import type { Gateway } from '../core/gateway.ts'
import type { JsonObject } from '../core/json.ts'
import { usdText } from '../core/price.ts'
import { chat } from '../dialects/chat.ts'
import { completions } from '../dialects/completions.ts'
import { bearerOf } from './bearer.ts'
import type { Body } from './body.ts'
import { sendJson } from './send.ts'
import { headerLookup } from './serve.ts'

export type ExplainParts = {
  readonly gateway: Pick<Gateway, 'explain'>
  readonly gate: Gate
  readonly readBody: (ctx: Context) => Promise<Body>
  readonly strict: boolean
}

/**
 * `POST {prefix}/route/explain`: where a call with this body would go, and why. Nothing is sent upstream, and
 * nothing is recorded.
 */
export function serveExplain(router: Router, prefix: string, parts: ExplainParts): void {
  const { gateway, gate, readBody, strict } = parts
  router.post(`${prefix}/route/explain`, async (ctx) => {
    const { credential } = gate.admit(bearerOf(ctx.req))
    const { text: source, value: body } = await readBody(ctx)
    const id = ctx.state['requestId'] as string
    const dialect = (body['messages'] ?? null) === null ? completions : chat
    const headers = headerLookup(ctx.req)
    const call = dialect.parse({ id, body, source, credential, deadlineMs: undefined, strict, headers })
    const explanation = rendered(gateway.explain(call))
    ctx.respond = false
    sendJson(ctx.req, ctx.res, 200, explanation, ['x-request-id', id])
  })
}

function rendered(explanation: Explanation): JsonObject {
  return {
    model: explanation.model,
    pattern: explanation.pattern,
    strategy: explanation.strategy,
    prompt_tokens: explanation.promptTokens,
    expected_completion_tokens: explanation.expectedCompletionTokens,
    candidates: explanation.candidates.map(candidateOf),
    plan: [...explanation.plan],
  }
}

/** What is not known is null. */
function candidateOf(candidate: ExplainedCandidate): JsonObject {
  const { expectedNanoUsd, removedBy } = candidate
  const nanoUsd = expectedNanoUsd === undefined ? undefined : Math.round(expectedNanoUsd)
  return {
    deployment: candidate.deployment,
    provider: candidate.provider,
    upstream_model: candidate.upstreamModel,
    expected_cost_nano_usd: nanoUsd ?? null,
    expected_cost_usd: nanoUsd === undefined ? null : usdText(nanoUsd),
    score: candidate.score ?? null,
    breaker: candidate.breaker,
    share: candidate.share,
    removed_by: removedBy === undefined ? null : { filter: removedBy.filter, reason: removedBy.reason },
  }
}
