import type { PriceBook, PricedProvider } from '../catalog/price-book.ts'
import type { Config } from '../config.ts'
import type { Clock, Deployment, Route, Upstream } from '../core/ports.ts'
import { type Price, unknownPrice } from '../core/price.ts'
import { createRecent } from '../core/recent.ts'
import { pricedAs } from './priced-as.ts'

export type RoutesParts = {
  readonly config: Config
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly book: PriceBook
  readonly clock: Clock
}

/** The routes of a configuration, each deployment with its upstream and its price. */
export function createRoutes(parts: RoutesParts): readonly Route[] {
  return parts.config.routes.map(({ pattern, strategy, deployments, baseline }) => {
    const made = deployments.map((settings) => createDeployment(pattern, settings, parts))
    return { pattern, strategy, deployments: made, baseline: made[baseline ?? 0] }
  })
}

type DeploymentSettings = Config['routes'][number]['deployments'][number]

function createDeployment(
  pattern: string,
  settings: DeploymentSettings,
  { config, upstreams, book, clock }: RoutesParts,
): Deployment {
  const upstream = upstreams.get(settings.provider)
  const written = config.providers.find(({ name }) => name === settings.provider)
  if (upstream === undefined || written === undefined) {
    throw new TypeError(`The configuration names no provider: ${settings.provider}`)
  }
  const provider = pricedAs(written)
  const common = {
    id: `${settings.model ?? pattern}@${settings.provider}`,
    upstream,
    clocks: { ...upstream.clocks, ...settings.clocks },
    retry: {
      retries: settings.retries ?? upstream.retry.retries,
      delayMs: settings.retryDelayMs ?? upstream.retry.delayMs,
    },
    weight: settings.weight ?? 1,
  }
  const traitsOf = (model: string) => {
    const contextTokens = book.find(provider, model, clock.epochMs())?.contextTokens
    return { contextTokens, ...settings.traits }
  }
  const { model: upstreamModel, price } = settings
  const model = upstreamModel ?? (pattern.includes('*') ? undefined : pattern)
  if (model === undefined) {
    const traits = settings.traits ?? {}
    const whole = { ...common, upstreamModel, price: price ?? unknownPrice, traits }
    const isPriced = provider.list !== undefined || upstream.listModels !== undefined
    if (price !== undefined || !isPriced) return whole
    const named = (name: string) =>
      withPrice(
        { ...common, upstreamModel: name, traits: traitsOf(name) },
        pricer(book, provider, name, clock),
      )
    return { ...whole, forModel: remembered(named) }
  }
  const made = { ...common, upstreamModel, traits: traitsOf(model) }
  return price === undefined ? withPrice(made, pricer(book, provider, model, clock)) : { ...made, price }
}

/** What it costs may change from one call to the next. */
function withPrice(made: Omit<Deployment, 'price'>, priceNow: () => Price): Deployment {
  return {
    ...made,
    get price() {
      return priceNow()
    },
  }
}

/** The price of the moment: the book is asked once a minute, for there is a question with every call. */
function pricer(book: PriceBook, provider: PricedProvider, model: string, clock: Clock): () => Price {
  let price = unknownPrice
  let freshUntil = Number.NEGATIVE_INFINITY
  return () => {
    const now = clock.now()
    if (now >= freshUntil) {
      price = book.lookup(provider, model, clock.epochMs())
      freshUntil = now + freshMs
    }
    return price
  }
}

const freshMs = 60_000

/** Callers name models as they like: of what is made by name, so many are kept, and none by a name that is too long. */
function remembered(make: (model: string) => Deployment): (model: string) => Deployment {
  const made = createRecent<Deployment>(mostNames)
  return (model) => {
    const known = made.get(model)
    if (known !== undefined) return known
    const deployment = make(model)
    if (model.length <= longestName) made.set(model, deployment)
    return deployment
  }
}

const mostNames = 1000

/** No model's name in the configuration may be longer either. */
const longestName = 256
