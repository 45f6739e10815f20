import { takesKind } from '../adapt/convert-kind.ts'
import { isPlain, unsupportedFeatures } from '../adapt/unsupported-features.ts'
import type { AnyCall, Call, PriceCap, Steering } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { isObject } from '../model/json/json.ts'
import type { Deployment, Traits, Upstream } from '../model/ports.ts'
import type { Candidate } from './strategies/candidate.ts'
import { unavailableFailure, unavailableReason } from './unavailable.ts'

/** The candidates that can and may take a call, and why the others do not. The order is kept. */
export type Suitability = { readonly kept: readonly Candidate[]; readonly removed: readonly Removal[] }

export type Removal = {
  readonly deployment: Deployment
  readonly filter: Filter
  /** Follows the deployment's name in a sentence: `does not take tools`. */
  readonly reason: string
  /** The request field at fault, if the filter alone does not name it. */
  readonly param?: string | undefined
}

export type Filter =
  | 'tenant'
  | 'gone'
  | 'steering'
  | 'endpoint'
  | 'field'
  | 'tools'
  | 'json_schema'
  | 'vision'
  | 'logprobs'
  | 'context'
  | 'price'
  | 'drained'
  | 'breaker'
  | 'unpriced'

/** What a call requires of a deployment. */
export type Needs = {
  /** A relay: forwarded, not answered with generated text. */
  readonly relay: boolean
  readonly tools: boolean
  readonly jsonSchema: boolean
  readonly vision: boolean
  readonly logprobs: boolean
  /** Estimated; for several prompts, the longest. */
  readonly promptTokens: number
  /** 0 if the caller gave no bound. */
  readonly maxTokens: number
  /** The request uses no other feature that an upstream may lack, unless the upstream has no calls of this kind. */
  readonly isPlain: boolean
  /** The feature of the request that an upstream lacks and that cannot be emulated. Absent: no upstream lacks any. */
  readonly shortfall?: ((upstream: Upstream) => string | undefined) | undefined
}

/**
 * Removes candidates that cannot or may not take the call. Unknown traits remove none, except an unknown price under a
 * price cap. Open breakers remove none if they would remove all.
 */
export function suitable(
  candidates: readonly Candidate[],
  needs: Needs,
  steering: Steering | undefined,
  { filtered = filterCandidates(candidates, needs, steering), isCalm = false }: KnownResults = {},
): Suitability {
  const removed = [...filtered.removed]
  const fitting = withRoom(filtered, needs, removed)
  const cap = steering?.maxPrice
  const affordable =
    cap === undefined ? fitting : fitting.filter((candidate) => !exceedsPrice(candidate, cap, removed))
  return { kept: isCalm ? affordable : healthy(affordable, removed), removed }
}

/** Results that are already known, so that they are not computed again. */
export type KnownResults = {
  readonly filtered?: SuitableCandidates | undefined
  /** No candidate has an open breaker. */
  readonly isCalm?: boolean
}

/** The candidates that pass all filters but size, price and health, and their smallest limits. */
export type SuitableCandidates = {
  readonly able: readonly Candidate[]
  readonly removed: readonly Removal[]
  /** A call within these limits fits every one of them. */
  readonly leastContextTokens: number
  readonly leastOutputTokens: number
}

export function filterCandidates(
  candidates: readonly Candidate[],
  needs: Needs,
  steering: Steering | undefined,
): SuitableCandidates {
  const able: Candidate[] = []
  const removed: Removal[] = []
  let leastContextTokens = Number.POSITIVE_INFINITY
  let leastOutputTokens = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const rejection = rejectionOf(candidate, needs, steering)
    if (rejection !== undefined) {
      removed.push({ deployment: candidate.deployment, ...rejection })
      continue
    }
    able.push(candidate)
    leastContextTokens = Math.min(leastContextTokens, candidate.traits.contextTokens ?? Infinity)
    leastOutputTokens = Math.min(leastOutputTokens, candidate.traits.maxOutputTokens ?? Infinity)
  }
  return { able, removed, leastContextTokens, leastOutputTokens }
}

/**
 * Applies the caller's steering last: providers that the caller named go first, in that order. If the caller allows no
 * fallback, only the first stays.
 */
export function steer(ordered: readonly Candidate[], steering: Steering | undefined): readonly Candidate[] {
  if (steering === undefined) return ordered
  const { order, allowFallbacks } = steering
  const placeOf = ({ upstream }: Candidate) => {
    const place = order.indexOf(upstream.name)
    return place === -1 ? order.length : place
  }
  const steered =
    order.length === 0 ? ordered : ordered.toSorted((one, other) => placeOf(one) - placeOf(other))
  return allowFallbacks ? steered : steered.slice(0, 1)
}

/** True if some call would be refused by a deployment with these traits. */
export function isBounded({ contextTokens, maxOutputTokens, ...abilities }: Traits): boolean {
  const { tools, jsonSchema, vision, logprobs } = abilities
  if (contextTokens !== undefined || maxOutputTokens !== undefined) return true
  return tools === false || jsonSchema === false || vision === false || logprobs === false
}

/** Reads the needs off a call's body. Null counts as absent. */
export function needsOf(call: AnyCall, promptTokens: number): Needs {
  const {
    kind,
    body: { value: body },
  } = call
  const format = body['response_format']
  const logprobs = body['logprobs']
  const maxTokens = body['max_completion_tokens'] ?? body['max_tokens']
  const plain = !isCompletion(call) || isPlain(call)
  return {
    relay: kind === 'embeddings' || kind === 'rerank',
    tools: isFilled(body['tools']) || isFilled(body['functions']),
    jsonSchema: isObject(format) && format['type'] === 'json_schema',
    vision: hasImages(body['messages']),
    logprobs: logprobs === true || typeof logprobs === 'number',
    promptTokens,
    maxTokens: typeof maxTokens === 'number' ? maxTokens : 0,
    isPlain: plain,
    shortfall: isCompletion(call)
      ? (upstream) =>
          plain && takesKind(upstream, call.kind) ? undefined : unsupportedFeatures(call, upstream)
      : undefined,
  }
}

/** The error when no candidate is left. It names the last filter that any candidate reached. */
export function refusalOf(removed: readonly Removal[]): Failure {
  let furthest: Removal | undefined
  for (const removal of removed) {
    if (furthest === undefined || filters.indexOf(removal.filter) > filters.indexOf(furthest.filter)) {
      furthest = removal
    }
  }
  if (furthest?.filter === 'gone') return unavailableFailure(removed)
  const filter = furthest?.filter ?? 'steering'
  const [kind, param] = refusals[filter]
  const why = furthest === undefined ? 'there is none' : `the best match ${furthest.reason}`
  const field = furthest?.param ?? param
  return new Failure(kind, `No deployment of this model takes this call: ${why}.`, { param: field })
}

const refusals = {
  tenant: ['model_not_found', 'model'],
  gone: ['model_not_found', 'model'],
  steering: ['invalid_request', 'provider'],
  endpoint: ['unsupported', null],
  field: ['unsupported', null],
  tools: ['unsupported', 'tools'],
  json_schema: ['unsupported', 'response_format'],
  vision: ['unsupported', 'messages'],
  logprobs: ['unsupported', 'logprobs'],
  context: ['context_length', null],
  price: ['invalid_request', 'provider.max_price'],
  drained: ['overloaded', null],
  breaker: ['overloaded', null],
  unpriced: ['unsupported', null],
} as const satisfies Record<Filter, readonly [string, string | null]>

const filters: readonly string[] = Object.keys(refusals)

/** Why one candidate is ruled out regardless of the others; undefined: it is not. */
function rejectionOf(
  { deployment, upstream, traits, gone }: Candidate,
  needs: Needs,
  steering: Steering | undefined,
): Rejection | undefined {
  if (gone !== undefined) return { filter: 'gone', reason: unavailableReason(gone, upstream.name) }
  if (steering?.only?.includes(upstream.name) === false) return rejections.notAllowed
  if (steering?.ignore.includes(upstream.name)) return rejections.excluded
  if (needs.relay && upstream.relay === undefined) return rejections.relay
  const param = needs.shortfall?.(upstream)
  if (param !== undefined) return { filter: 'field', reason: `does not support '${param}'`, param }
  if (needs.tools && traits.tools === false) return rejections.tools
  if (needs.jsonSchema && traits.jsonSchema === false) return rejections.jsonSchema
  if (needs.vision && traits.vision === false) return rejections.vision
  if (needs.logprobs && traits.logprobs === false) return rejections.logprobs
  return deployment.isDrained === true ? rejections.drained : undefined
}

type Rejection = Omit<Removal, 'deployment'>

const rejections = {
  notAllowed: { filter: 'steering', reason: 'is at a provider that the caller does not allow' },
  excluded: { filter: 'steering', reason: 'is at a provider that the caller excludes' },
  relay: { filter: 'endpoint', reason: 'serves neither embeddings nor rerank' },
  tools: { filter: 'tools', reason: 'does not support tools' },
  jsonSchema: { filter: 'json_schema', reason: 'does not support JSON schemas' },
  vision: { filter: 'vision', reason: 'does not support images' },
  logprobs: { filter: 'logprobs', reason: 'does not return logprobs' },
  drained: { filter: 'drained', reason: 'is drained by an operator' },
} as const satisfies Record<string, Rejection>

/** The true prompt length may be this much of the estimate, because other tokenizers count fewer tokens. */
const leastPromptShare = 0.8

/** An estimate alone refuses no call: if no candidate certainly fits, those that may fit stay. */
function withRoom(
  { able, leastContextTokens, leastOutputTokens }: SuitableCandidates,
  needs: Needs,
  removed: Removal[],
): readonly Candidate[] {
  const { promptTokens, maxTokens } = needs
  if (promptTokens + maxTokens <= leastContextTokens && maxTokens <= leastOutputTokens) return able
  const fits = able.some((candidate) => hasRoom(candidate, needs)) ? hasRoom : mayHaveRoom
  return able.filter((candidate) => {
    if (fits(candidate, needs)) return true
    const { deployment } = candidate
    removed.push({ deployment, filter: 'context', reason: contextReason(candidate, needs) })
    return false
  })
}

function hasRoom({ traits }: Candidate, { promptTokens, maxTokens }: Needs): boolean {
  const { contextTokens = Infinity, maxOutputTokens = Infinity } = traits
  return promptTokens + maxTokens <= contextTokens && maxTokens <= maxOutputTokens
}

/** Some upstreams silently lower a larger bound to their maximum. */
function mayHaveRoom({ traits }: Candidate, { promptTokens, maxTokens }: Needs): boolean {
  const { contextTokens = Infinity, maxOutputTokens = Infinity, lowersMaxTokens = true } = traits
  const requested = lowersMaxTokens ? Math.min(maxTokens, maxOutputTokens) : maxTokens
  return promptTokens * leastPromptShare + requested <= contextTokens
}

function contextReason({ traits }: Candidate, { promptTokens, maxTokens }: Needs): string {
  const { contextTokens = Infinity, maxOutputTokens } = traits
  if (promptTokens + maxTokens <= contextTokens) {
    return `answers with ${maxOutputTokens} tokens at most, and ${maxTokens} were requested`
  }
  return `holds ${contextTokens} tokens, and the call needs about ${promptTokens} + ${maxTokens}`
}

/** An unknown price does not pass a cap, because it could be any. */
function exceedsPrice(
  { deployment, expectedNanoUsd }: Candidate,
  cap: PriceCap,
  removed: Removal[],
): boolean {
  const { inputNanoUsdPerMillion: input, outputNanoUsdPerMillion: output } = deployment.price
  const pairs = [
    [cap.inputNanoUsdPerMillion, input, 'input'],
    [cap.outputNanoUsdPerMillion, output, 'output'],
    [cap.requestNanoUsd, expectedNanoUsd, 'the call'],
  ] as const
  for (const [most, price, what] of pairs) {
    if (most === undefined || (price !== undefined && price <= most)) continue
    const reason =
      price === undefined
        ? `may cost more for ${what} than the caller allows: the price is not known`
        : `costs more for ${what} than the caller allows`
    removed.push({ deployment, filter: 'price', reason })
    return true
  }
  return false
}

function healthy(candidates: readonly Candidate[], removed: Removal[]): readonly Candidate[] {
  if (!candidates.some(({ standing }) => standing.breaker === 'open')) return candidates
  const kept = candidates.filter(({ standing }) => standing.breaker !== 'open')
  if (kept.length === 0 || kept.length === candidates.length) return candidates
  for (const { deployment, standing } of candidates) {
    if (standing.breaker !== 'open') continue
    removed.push({ deployment, filter: 'breaker', reason: 'has been failing, and is not used for now' })
  }
  return kept
}

function isCompletion(call: AnyCall): call is Call {
  return call.kind === 'text' || call.kind === 'chat'
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0
}

function hasImages(messages: unknown): boolean {
  if (!Array.isArray(messages)) return false
  return messages.some((message) => {
    const content = isObject(message) ? message['content'] : undefined
    return Array.isArray(content) && content.some(isImage)
  })
}

function isImage(part: unknown): boolean {
  return isObject(part) && part['type'] === 'image_url'
}
