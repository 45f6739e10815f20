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

/** The routing preferences of a request, and the request without them. */
export type Steered = {
  /** The model without `:floor` and `:nitro`; the first of `models` if the body has no `model`. */
  readonly model: string
  /** The body without the steering fields; the caller's own object if it has none. */
  readonly body: JsonText
  readonly steering: Steering | undefined
}

/**
 * Reads OpenRouter's `models` and `provider`, the suffixes `:floor` and `:nitro`, and the equivalent headers from an
 * otherwise valid request. The body takes precedence over headers, and `provider.sort` over a suffix. Of several
 * suffixes the first counts. Undefined if there is no steering. Throws Failure `invalid_request` with the name of the
 * invalid field or header.
 */
export function steer({ body: sent, headers, strict }: Incoming): Steered | undefined {
  const body = sent.value
  const { model: given, models, provider } = body
  const isInBody = models !== undefined || provider !== undefined
  const fromHeaders = headers === undefined ? undefined : preferencesOfHeaders(headers)
  if (!isInBody && fromHeaders === undefined && !hasSuffix(given)) return undefined
  validate(body, steeringFields)
  if (strict && isObject(provider)) refuseUnknownOptions(provider)
  const fromBody = preferencesOfBody(body)
  const named = typeof given === 'string' && given !== '' ? [given] : []
  const names = [...named, ...(fromBody.models ?? fromHeaders?.models ?? [])]
  const [model = '', ...others] = new Set(names.map(withoutSuffix))
  const steering: Steering = {
    models: others,
    order: fromBody.order ?? fromHeaders?.order ?? [],
    only: fromBody.only ?? fromHeaders?.only,
    ignore: fromBody.ignore ?? fromHeaders?.ignore ?? [],
    strategy: fromBody.strategy ?? strategyOfSuffix(names) ?? fromHeaders?.strategy,
    maxPrice: joined(fromHeaders?.maxPrice, fromBody.maxPrice),
    allowFallbacks: fromBody.allowFallbacks ?? fromHeaders?.allowFallbacks ?? true,
  }
  return {
    model,
    body: isInBody || model !== given ? sent.with({ models: undefined, provider: undefined, model }) : sent,
    steering: isNotEmpty(steering) ? steering : undefined,
  }
}

/** The preferences from the body or from the headers. */
type Preferences = { readonly [Key in keyof Steering]?: Steering[Key] | undefined }

function preferencesOfBody({ models, provider }: JsonObject): Preferences {
  // `steeringFields` has validated both.
  const { sort, max_price: maxPrice, ...preferences } = (provider ?? {}) as ProviderField
  const by = typeof sort === 'string' ? sort : sort?.by
  return {
    models: (models ?? undefined) as readonly string[] | undefined,
    order: preferences.order ?? undefined,
    only: preferences.only ?? undefined,
    ignore: preferences.ignore ?? undefined,
    strategy: by == null ? undefined : strategyOfSort.get(by),
    maxPrice: maxPrice == null ? undefined : capOf(Object.entries(maxPrice)),
    allowFallbacks: preferences.allow_fallbacks ?? undefined,
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

/** Undefined if none of the headers is present, as in most calls. */
function preferencesOfHeaders(headers: HeaderLookup): Preferences | undefined {
  let preferences: Preferences | undefined
  for (const { name, phrase, read } of steeringHeaders) {
    const text = headers(name)
    if (text === undefined) continue
    const preference = read(text.trim())
    if (preference === undefined) {
      throw new Failure('invalid_request', `The header ${name} must be ${phrase}.`, { param: name })
    }
    preferences = { ...preferences, ...preference }
  }
  return preferences
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

/** Undefined without a name, or with more than `limit` names. */
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

/** Larger caps are reduced to `highestCapUsd`, which is above every price. */
function capNanoUsd(usd: string | number): number {
  if (Number(usd) >= highestCapUsd) return roundedNanoUsd(highestCapUsd)
  // -0 is 0.
  return typeof usd === 'number' ? roundedNanoUsd(Math.abs(usd)) : nanoUsd(usd)
}

function joined(said: PriceCap | undefined, asked: PriceCap | undefined): PriceCap | undefined {
  const cap = { ...said, ...asked }
  return Object.keys(cap).length === 0 ? undefined : cap
}

function isNotEmpty({ models, order, only, ignore, strategy, maxPrice, allowFallbacks }: Steering): boolean {
  if (models.length > 0 || order.length > 0 || ignore.length > 0 || !allowFallbacks) return true
  return only !== undefined || strategy !== undefined || maxPrice !== undefined
}

/** Refuses OpenRouter's options that the gateway does not support. Only strict mode does. */
function refuseUnknownOptions(provider: JsonObject): void {
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

/** The maximum number of models in a request. Each adds an attempt to the plan. */
const maxModels = 32
const maxProviders = 128

/** The highest cap, per million tokens or per request. In nano-USD it is still a safe integer. */
const highestCapUsd = 1_000_000

/** A decimal with at most nine places, which is a nano-USD. */
const decimalUsd = /^\d{1,12}(?:\.\d{1,9})?$/

const aName = z.string('a string').refine((name) => name !== '', 'a name')
const names = list(aName, 'an array of strings', { maxLength: maxProviders })
const aSort = oneOf([...strategyOfSort.keys()])
const aUsdText = z
  .string()
  .regex(decimalUsd, 'USD as a decimal number or string with at most nine decimal places')
const usd = form((value) => {
  if (typeof value === 'number') return aDecimal.min(0)
  return typeof value === 'string' ? aUsdText : nothingBut('one of a decimal or string')
})

const provider = {
  order: names.nullish(),
  // An empty list is refused, because it is most likely a bug of the client.
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
  /** The expected text, for errors. */
  readonly phrase: string
  /** Undefined for an invalid text. */
  readonly read: (text: string) => Preferences | undefined
}

/** If two headers set the same preference, the later one in this list counts. */
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
  preferenceFor: (names: readonly string[]) => Preferences,
): SteeringHeader {
  return {
    name,
    phrase: `1 to ${limit} names, separated by commas`,
    read(text) {
      const found = namesIn(text, limit)
      return found && preferenceFor(found)
    },
  }
}

function wordHeader(
  name: string,
  words: readonly string[],
  preferenceFor: (word: string) => Preferences,
): SteeringHeader {
  return {
    name,
    phrase: `one of ${words.join(', ')}`,
    read: (text) => (words.includes(text) ? preferenceFor(text) : undefined),
  }
}
