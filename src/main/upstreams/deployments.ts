import type { KnownPrice } from '../../catalog/known-price.ts'
import type { PriceBook, PriceQuestion } from '../../catalog/price-book.ts'
import type { Config } from '../../config.ts'
import type { Drains } from '../../core/health/drains.ts'
import { isObject } from '../../core/model/json/json.ts'
import { createLruMap } from '../../core/model/lru-map.ts'
import type { Clock, Deployment, Presence, Route, Traits, Upstream } from '../../core/model/ports.ts'
import { unknownPrice } from '../../core/model/price.ts'
import { priceKey } from './price-key.ts'

export type RoutesParts = {
  readonly config: Config
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly book: PriceBook
  readonly clock: Clock
  readonly drains: Pick<Drains, 'of'>
}

/** The routes of a configuration, each deployment with its upstream and its price. */
export function createRoutes(parts: RoutesParts): readonly Route[] {
  return parts.config.routes.map(({ pattern, strategy, deployments, baseline }) => {
    const made = deployments.map((settings) => createDeployment(pattern, settings, parts))
    return { pattern, strategy, deployments: made, baseline: made[baseline ?? 0] }
  })
}

type DeploymentSettings = Config['routes'][number]['deployments'][number]

/** A deployment in the route of this pattern, at its current price. */
export function createDeployment(
  pattern: string,
  settings: DeploymentSettings,
  { config, upstreams, book, clock, drains }: RoutesParts,
): Deployment {
  const upstream = upstreams.get(settings.provider)
  const written = config.providers.find(({ name }) => name === settings.provider)
  if (upstream === undefined || written === undefined) {
    throw new TypeError(`The configuration names no provider: ${settings.provider}`)
  }
  const provider = priceKey(written)
  const id = `${settings.model ?? pattern}@${settings.provider}`
  const common = {
    id,
    upstream,
    clocks: { ...upstream.clocks, ...settings.clocks },
    retry: {
      retries: settings.retries ?? upstream.retry.retries,
      delayMs: settings.retryDelayMs ?? upstream.retry.delayMs,
    },
    weight: settings.weight ?? 1,
    ...(config.answerModel === 'requested' ? { answersAs: publicName(pattern, settings.model) } : {}),
    stopsOnAbort: stopsOnAbort(written.settings, settings.billing) && upstream.drains !== true,
  }
  const { model = pattern.includes('*') ? undefined : pattern, price: own, traits = {} } = settings
  const withTerms = (made: Untermed, name: string | undefined) =>
    sold(made, {
      termsNow: termsOf(book, { provider, model: name, own }, clock),
      own: traits,
      mayBeGone: config.routing.isDefault,
      isDrained: () => drains.of(id) !== undefined,
    })
  if (model !== undefined) return withTerms({ ...common, upstreamModel: model }, model)
  const named = (name: string) => withTerms({ ...common, upstreamModel: name, madeFor: name }, name)
  return withTerms({ ...common, upstreamModel: undefined, forModel: remembered(named) }, undefined)
}

/** The name of the model in answers: the caller's, if the configuration has another name for it upstream. */
function publicName(pattern: string, model: string | undefined): (requested: string) => string | undefined {
  if (model === undefined || model === pattern) return () => undefined
  if (!pattern.includes('*')) return () => pattern
  return (requested) => (requested === model ? undefined : requested)
}

function stopsOnAbort(provider: unknown, own: DeploymentSettings['billing']): boolean {
  const billing = isObject(provider) ? provider['billing'] : undefined
  return own?.stopsOnAbort ?? (isObject(billing) && billing['stopsOnAbort'] === true)
}

type Untermed = Omit<Deployment, 'price' | 'priceOrigin' | 'presence' | 'gone' | 'isDrained' | 'traits'>

type Changing = {
  readonly termsNow: () => Terms
  readonly own: Traits
  readonly mayBeGone: boolean
  readonly isDrained: () => boolean
}

/** Price and abilities can change between calls. The operator's settings override other sources. */
function sold(made: Untermed, { termsNow, own, mayBeGone, isDrained }: Changing): Deployment {
  let latest: Terms | undefined
  let traits = own
  return {
    ...made,
    get price() {
      return termsNow().known?.price ?? unknownPrice
    },
    get priceOrigin() {
      return termsNow().known
    },
    get presence() {
      return termsNow().presence
    },
    get gone() {
      const { presence } = termsNow()
      return mayBeGone && presence?.state !== 'listed' ? presence : undefined
    },
    get isDrained() {
      return isDrained()
    },
    get traits() {
      const terms = termsNow()
      if (terms !== latest) traits = { ...terms.traits, ...own }
      latest = terms
      return traits
    },
  }
}

type Terms = {
  readonly known: KnownPrice | undefined
  readonly traits: Traits
  readonly presence: Presence | undefined
}

/**
 * The current terms. The price book is asked once a minute and day, and after each new list, because every call needs
 * them.
 */
function termsOf(book: PriceBook, question: PriceQuestion, clock: Clock): () => Terms {
  let terms: Terms | undefined
  let freshUntil = 0
  let version = -1
  return () => {
    const now = clock.now()
    if (terms !== undefined && now < freshUntil && book.version === version) return terms
    const epochMs = clock.epochMs()
    terms = {
      known: book.find(question, epochMs),
      traits: book.traits(question, epochMs),
      presence: book.presence(question, epochMs),
    }
    version = book.version
    freshUntil = now + Math.min(freshMs, dayMs - (epochMs % dayMs))
    return terms
  }
}

const freshMs = 60_000

/** Prices change at midnight, UTC. */
const dayMs = 86_400_000

/**
 * Callers can send any name: at most this many deployments made from names are kept, and none for a name that is too
 * long.
 */
function remembered(make: (model: string) => Deployment): (model: string) => Deployment {
  const made = createLruMap<Deployment>(mostNames)
  return (model) => {
    const known = made.get(model)
    if (known !== undefined) return known
    const deployment = make(model)
    if (model.length <= longestName) made.set(model, deployment)
    return deployment
  }
}

const mostNames = 1000

/** Model names in the configuration have the same limit. */
const longestName = 256
