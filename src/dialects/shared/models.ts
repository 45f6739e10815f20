import type Anthropic from '@anthropic-ai/sdk'
import type OpenAI from 'openai'
import type { DeploymentReport } from '../../core/health/health-registry.ts'
import { outcomeOf } from '../../core/health/probe.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Deployment, Presence } from '../../core/model/ports.ts'
import { type Price, priceDay, usdText } from '../../core/model/price.ts'
import { type ListedModel, unknownModel } from '../../core/plan/router.ts'

/** A model that callers may name, and its deployments in the order of its route. */
export type DescribedModel = ListedModel & { readonly deployments: readonly ReportedDeployment[] }

/** A deployment of a model, with its health; undefined if unknown. */
export type ReportedDeployment = {
  readonly deployment: Deployment
  readonly report: DeploymentReport | undefined
}

/** The body of `GET /models`. */
export function renderModels(models: readonly DescribedModel[], createdEpochSeconds: number): JsonObject {
  return { object: 'list', data: models.map((model) => renderModel(model, createdEpochSeconds)) }
}

/** The list for Anthropic's clients, as one page. */
export function renderAnthropicModels(
  models: readonly DescribedModel[],
  createdEpochSeconds: number,
): JsonObject {
  const data = models.map((model) => renderAnthropicModel(model, createdEpochSeconds))
  return { data, has_more: false, first_id: models[0]?.id ?? null, last_id: models.at(-1)?.id ?? null }
}

/** The body of `GET /models/{id}` for Anthropic's clients. */
export function renderAnthropicModel(
  { id, deployments }: DescribedModel,
  createdEpochSeconds: number,
): JsonObject {
  const outputs = deployments.flatMap(({ deployment }) => deployment.traits.maxOutputTokens ?? [])
  const contexts = deployments.flatMap(({ deployment }) => deployment.traits.contextTokens ?? [])
  const model = {
    type: 'model',
    id,
    display_name: id,
    created_at: new Date(createdEpochSeconds * 1000).toISOString(),
    ...{ capabilities: null, lifecycle: 'active', line: null, deprecated_at: null, retires_at: null },
    max_input_tokens: contexts.length === 0 ? null : Math.max(...contexts),
    max_tokens: outputs.length === 0 ? null : Math.max(...outputs),
  } satisfies Anthropic.ModelInfo
  return model
}

/**
 * The body of `GET /models/{id}`: OpenAI's fields, with context and prices under OpenRouter's names, also per
 * deployment. The price is the first deployment's, the context the largest. Unknown values are left out.
 */
export function renderModel(
  { id, ownedBy, deployments }: DescribedModel,
  createdEpochSeconds: number,
): JsonObject {
  const model = {
    id,
    object: 'model',
    created: createdEpochSeconds,
    owned_by: ownedBy,
  } satisfies OpenAI.Model
  const [first] = deployments
  const contexts = deployments.flatMap(({ deployment }) => deployment.traits.contextTokens ?? [])
  return {
    ...model,
    ...(contexts.length === 0 ? {} : { context_length: Math.max(...contexts) }),
    ...(first === undefined ? {} : pricingFields(first.deployment)),
    deployments: deployments.map(renderDeployment),
  }
}

/**
 * Decodes the model's name in the path after `/models/`. Its slashes may be encoded or not. Throws Failure
 * `model_not_found` if it cannot be decoded.
 */
export function modelNameOf(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    throw unknownModel(encoded)
  }
}

function renderDeployment({ deployment, report }: ReportedDeployment): JsonObject {
  const { id, upstream, traits, presence } = deployment
  return {
    id,
    provider: upstream.name,
    ...(traits.contextTokens === undefined ? {} : { context_length: traits.contextTokens }),
    ...(traits.maxOutputTokens === undefined ? {} : { max_completion_tokens: traits.maxOutputTokens }),
    ...pricingFields(deployment),
    ...(presence === undefined || presence.state === 'listed' ? {} : { gone: goneBody(presence) }),
    ...(report === undefined ? {} : { health: healthOf(report) }),
  }
}

/** The health in the format of `GET /admin/api/deployments`. Values without a measurement are null. */
function healthOf({
  breaker,
  successRate,
  firstTokenMs,
  tokensPerSecond,
  probe,
}: DeploymentReport): JsonObject {
  return {
    breaker,
    success_rate: successRate,
    first_token_ms: firstTokenMs ?? null,
    tokens_per_second: tokensPerSecond ?? null,
    probe: probe === undefined ? null : outcomeOf(probe),
  }
}

/** The price, with its source and dates if they are known. */
function pricingFields({ price, priceOrigin }: Deployment): JsonObject {
  const pricing = pricingOf(price)
  if (priceOrigin === undefined || Object.keys(pricing).length === 0) return pricing
  const { source, sinceEpochMs, asOfEpochMs, isFirm } = priceOrigin
  const days = { since: priceDay(sinceEpochMs) ?? null, as_of: priceDay(asOfEpochMs) ?? null }
  return { ...pricing, pricing_source: { source, ...days, firm: isFirm } }
}

function goneBody({ state, sinceEpochMs, successor }: Presence): JsonObject {
  return { state, since: priceDay(sinceEpochMs) ?? null, successor: successor ?? null }
}

/** Prices in USD under OpenRouter's names, and `second` for prices by time. Empty if nothing is known. */
function pricingOf(price: Price): JsonObject {
  const { nanoUsdPerSecond, nanoUsdPerRequest } = price
  const pricing: JsonObject = {}
  if (nanoUsdPerSecond === undefined) {
    for (const [name, perMillion] of [
      ['prompt', price.inputNanoUsdPerMillion],
      ['completion', price.outputNanoUsdPerMillion],
      ['input_cache_read', price.cachedInputNanoUsdPerMillion],
    ] as const) {
      if (perMillion !== undefined) pricing[name] = usdPerToken(perMillion)
    }
  } else {
    pricing['second'] = withoutZeros(usdText(nanoUsdPerSecond))
  }
  if (nanoUsdPerRequest !== undefined) pricing['request'] = withoutZeros(usdText(nanoUsdPerRequest))
  return Object.keys(pricing).length === 0 ? {} : { pricing }
}

/** One nano-USD per million tokens is 1e-15 USD per token. */
function usdPerToken(nanoUsdPerMillion: number): string {
  const digits = String(nanoUsdPerMillion).padStart(16, '0')
  return withoutZeros(`${digits.slice(0, -15)}.${digits.slice(-15)}`)
}

function withoutZeros(decimal: string): string {
  return decimal.replace(/\.?0+$/, '')
}
