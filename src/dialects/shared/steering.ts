import * as z from 'zod'
import type { PriceCap, Steering } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { JsonText } from '../../core/model/json/json-text.ts'
import { nanoUsd, roundedNanoUsd } from '../../core/model/price.ts'
import type { StrategyName } from '../../core/model/terms.ts'
import type { HeaderLookup, Incoming } from './dialect.ts'
import { aBoolean, aDecimal, anObject, form, list, nothingBut, oneOf } from './schemas.ts'
import { fieldsOf, validate } from './validate.ts'
import { unknownField } from './validation-error.ts'

/** The routing wishes of a request, and the request without them. */
export type Steered = {
  /** Without `:floor` and `:nitro`; the first of `models` if the body has no `model`. */
  readonly model: string
  /** Without the steering fields; the caller's own object if it has none. */
  readonly body: JsonText
  readonly steering: Steering | undefined
}

/**
 * Reads OpenRouter's `models` and `provider`, the suffixes `:floor` and `:nitro`, and the equivalent headers from an
 * otherwise valid request. The body takes precedence over headers, `provider.sort` over a suffix, and the first of
 * several suffixes counts. Undefined if there is no steering. Throws Failure `invalid_request`, naming the wrong field
 * or header.
 */
export function steer({ body: sent, headers, strict }: Incoming): Steered | undefined {
  const body = sent.value
  const { model: given, models, provider } = body
  const isInBody = models !== undefined || provider !== undefined
  const said = headers === undefined ? undefined : wishesOfHeaders(headers)
  if (!isInBody && said === undefined && !hasSuffix(given)) return undefined
  validate(body, steeringFields)
  if (strict && isObject(provider)) refuseUnknownWishes(provider)
  const asked = wishesOfBody(body)
  const named = typeof given === 'string' && given !== '' ? [given] : []
  const wanted = [...named, ...(asked.models ?? said?.models ?? [])]
  const [model = '', ...others] = new Set(wanted.map(withoutSuffix))
  const steering: Steering = {
    models: others,
    order: asked.order ?? said?.order ?? [],
    only: asked.only ?? said?.only,
    ignore: asked.ignore ?? said?.ignore ?? [],
    strategy: asked.strategy ?? strategyOfSuffix(wanted) ?? said?.strategy,
    maxPrice: joined(said?.maxPrice, asked.maxPrice),
    allowFallbacks: asked.allowFallbacks ?? said?.allowFallbacks ?? true,
  }
  return {
    model,
    body: isInBody || model !== given ? sent.with({ models: undefined, provider: undefined, model }) : sent,
    steering: saysAnything(steering) ? steering : undefined,
  }
}

/** The wishes from one source; the rest comes from the other. */
type Wishes = { readonly [Key in keyof Steering]?: Steering[Key] | undefined }

function wishesOfBody({ models, provider }: JsonObject): Wishes {
  // Both were validated by `steeringFields`.
  const { sort, max_price: maxPrice, ...wishes } = (provider ?? {}) as ProviderField
  const by = typeof sort === 'string' ? sort : sort?.by
  return {
    models: (models ?? undefined) as readonly string[] | undefined,
    order: wishes.order ?? undefined,
    only: wishes.only ?? undefined,
    ignore: wishes.ignore ?? undefined,
    strategy: by == null ? undefined : strategyOfSort.get(by),
    maxPrice: maxPrice == null ? undefined : capOf(Object.entries(maxPrice)),
    allowFallbacks: wishes.allow_fallbacks ?? undefined,
  }
}

type ProviderField = {
  readonly order?: readonly string[] | null
  readonly only?: readonly string[] | null
  readonly ignore?: readonly string[] | null
  readonly sort?: string | { readonly by?: string | null } | null
  readonly max_price?: Readonly<Record<string, string | number | null>> | null
  readonly allow_fallbacks?: boolean | null
}

/** Undefined if none of the headers is present: most calls have none, and pay only for the check. */
function wishesOfHeaders(headers: HeaderLookup): Wishes | undefined {
  let wishes: Wishes | undefined
  for (const { name, phrase, read } of steeringHeaders) {
    const text = headers(name)
    if (text === undefined) continue
    const wish = read(text.trim())
    if (wish === undefined) {
      throw new Failure('invalid_request', `The header ${name} must be ${phrase}.`, { param: name })
    }
    wishes = { ...wishes, ...wish }
  }
  return wishes
}

function hasSuffix(model: unknown): boolean {
  return typeof model === 'string' && withoutSuffix(model) !== model
}

function withoutSuffix(model: string): string {
  if (model.at(-suffixLength) !== ':') return model
  const stem = model.slice(0, -suffixLength)
  return stem !== '' && suffixes.has(model.slice(-suffixLength)) ? stem : model
}

function strategyOfSuffix(models: readonly string[]): StrategyName | undefined {
  const model = models.find(hasSuffix)
  return model === undefined ? undefined : suffixes.get(model.slice(-suffixLength))
}

function isStrategy(text: string): text is StrategyName {
  return Object.hasOwn(strategies, text)
}

/** Undefined for no name at all, or more than `limit`. */
function namesIn(text: string, limit: number): readonly string[] | undefined {
  const found = piecesOf(text)
  return found.length > 0 && found.length <= limit ? found : undefined
}

function piecesOf(text: string): readonly string[] {
  return text.split(',').flatMap((piece) => piece.trim() || [])
}

/** Undefined if a part is unknown, repeated, or has no price. */
function capIn(text: string): PriceCap | undefined {
  const parts = new Map<string, string>()
  for (const piece of piecesOf(text)) {
    const [key = '', usd = '', ...more] = piece.split('=').map((part) => part.trim())
    if (!capKeys.has(key) || parts.has(key) || !decimalUsd.test(usd) || more.length > 0) return undefined
    parts.set(key, usd)
  }
  return parts.size > 0 ? capOf(parts) : undefined
}

/** From pairs of OpenRouter's part name and USD. */
function capOf(parts: Iterable<readonly [string, string | number | null]>): PriceCap {
  const cap: { -readonly [Key in keyof PriceCap]: PriceCap[Key] } = {}
  for (const [name, usd] of parts) {
    const key = capKeys.get(name)
    if (key !== undefined && usd !== null) cap[key] = capNanoUsd(usd)
  }
  return cap
}

/** A cap above every price is harmless. */
function capNanoUsd(usd: string | number): number {
  if (Number(usd) >= unreachedUsd) return roundedNanoUsd(unreachedUsd)
  // -0 is 0.
  return typeof usd === 'number' ? roundedNanoUsd(Math.abs(usd)) : nanoUsd(usd)
}

function joined(said: PriceCap | undefined, asked: PriceCap | undefined): PriceCap | undefined {
  const cap = { ...said, ...asked }
  return Object.keys(cap).length === 0 ? undefined : cap
}

function saysAnything({
  models,
  order,
  only,
  ignore,
  strategy,
  maxPrice,
  allowFallbacks,
}: Steering): boolean {
  if (models.length > 0 || order.length > 0 || ignore.length > 0 || !allowFallbacks) return true
  return only !== undefined || strategy !== undefined || maxPrice !== undefined
}

/** OpenRouter has more options than are supported here: a strict gateway refuses them. */
function refuseUnknownWishes(provider: JsonObject): void {
  refuseOthers('provider', provider, providerKeys)
  refuseOthers('provider.sort', provider['sort'], sortKeys)
  refuseOthers('provider.max_price', provider['max_price'], capKeys)
}

function refuseOthers(path: string, value: unknown, known: { has(key: string): boolean }): void {
  if (!isObject(value)) return
  for (const key of Object.keys(value)) {
    if (value[key] !== null && !known.has(key)) throw unknownField(`${path}.${key}`)
  }
}

const suffixLength = ':floor'.length
const suffixes: ReadonlyMap<string, StrategyName> = new Map([
  [':floor', 'cheapest'],
  [':nitro', 'fastest'],
])

const strategyOfSort: ReadonlyMap<string, StrategyName> = new Map([
  ['price', 'cheapest'],
  ['throughput', 'fastest'],
  ['latency', 'fastest'],
])

const strategies: Readonly<Record<StrategyName, true>> = {
  fallback: true,
  first: true,
  weighted: true,
  cheapest: true,
  fastest: true,
  balanced: true,
  value: true,
}

const capKeys: ReadonlyMap<string, keyof PriceCap> = new Map([
  ['prompt', 'inputNanoUsdPerMillion'],
  ['completion', 'outputNanoUsdPerMillion'],
  ['request', 'requestNanoUsd'],
])

/** The most that makes sense; each adds an attempt that a call may take. */
const maxModels = 32
const maxProviders = 128

/** Per million tokens or per request: still a safe integer in nano-USD. */
const unreachedUsd = 1_000_000

/** Down to a nano-USD. */
const decimalUsd = /^\d{1,12}(?:\.\d{1,9})?$/

const aName = z.string('a string').refine((name) => name !== '', 'a name')
const names = list(aName, 'an array of strings', { maxLength: maxProviders })
const aSort = oneOf([...strategyOfSort.keys()])
const aUsdText = z.string().regex(decimalUsd, 'USD as a decimal with at most nine places, in a string or not')
const usd = form((value) => {
  if (typeof value === 'number') return aDecimal.min(0)
  return typeof value === 'string' ? aUsdText : nothingBut('one of a decimal or string')
})

const provider = {
  order: names.nullish(),
  // An empty list is rejected: it is most likely a client's bug.
  only: list(aName, 'an array of strings', { minLength: 1, maxLength: maxProviders }).nullish(),
  ignore: names.nullish(),
  sort: form((value) => {
    if (typeof value === 'string') return aSort
    return isObject(value) ? anObject({ by: aSort.nullish() }) : nothingBut('one of a string or object')
  }).nullish(),
  max_price: anObject({ prompt: usd.nullish(), completion: usd.nullish(), request: usd.nullish() }).nullish(),
  allow_fallbacks: aBoolean.nullish(),
} satisfies Record<keyof ProviderField, z.ZodType>

const providerKeys: ReadonlySet<string> = new Set(Object.keys(provider))
const sortKeys: ReadonlySet<string> = new Set(['by'])

const steeringFields = fieldsOf({
  models: list(aName, 'an array of strings', { maxLength: maxModels }),
  provider: anObject(provider),
})

type SteeringHeader = {
  readonly name: string
  /** What its text must be. */
  readonly phrase: string
  /** Undefined for an invalid text. */
  readonly read: (text: string) => Wishes | undefined
}

/** Of two that set the same wish, the later counts. */
const steeringHeaders: readonly SteeringHeader[] = [
  listHeader('x-pandotate-models', maxModels, (models) => ({ models })),
  listHeader('x-pandotate-provider-order', maxProviders, (order) => ({ order })),
  listHeader('x-pandotate-provider-only', maxProviders, (only) => ({ only })),
  listHeader('x-pandotate-provider-ignore', maxProviders, (ignore) => ({ ignore })),
  wordHeader('x-pandotate-provider-sort', [...strategyOfSort.keys()], (word) => ({
    strategy: strategyOfSort.get(word),
  })),
  wordHeader('x-pandotate-strategy', Object.keys(strategies), (word) =>
    isStrategy(word) ? { strategy: word } : {},
  ),
  {
    name: 'x-pandotate-provider-max-price',
    phrase: 'USD for each of prompt, completion and request that has a cap, such as prompt=0.5, request=0.01',
    read(text) {
      const maxPrice = capIn(text)
      return maxPrice && { maxPrice }
    },
  },
  wordHeader('x-pandotate-provider-allow-fallbacks', ['true', 'false'], (word) => ({
    allowFallbacks: word === 'true',
  })),
]

function listHeader(
  name: string,
  limit: number,
  wishFor: (names: readonly string[]) => Wishes,
): SteeringHeader {
  return {
    name,
    phrase: `1 to ${limit} names with commas between them`,
    read(text) {
      const found = namesIn(text, limit)
      return found && wishFor(found)
    },
  }
}

function wordHeader(
  name: string,
  words: readonly string[],
  wishFor: (word: string) => Wishes,
): SteeringHeader {
  return {
    name,
    phrase: `one of ${words.join(', ')}`,
    read: (text) => (words.includes(text) ? wishFor(text) : undefined),
  }
}
