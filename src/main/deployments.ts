import type { PriceBook, PricedProvider } from '../catalog/price-book.ts'
import type { Config } from '../config.ts'
import type { Clock, Deployment, Route, Upstream } from '../core/ports.ts'
import { type Price, unknownPrice } from '../core/price.ts'

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
  const provider = config.providers.find(({ name }) => name === settings.provider)
  if (upstream === undefined || provider === undefined) {
    throw new TypeError(`The configuration names no provider: ${settings.provider}`)
  }
  const model = settings.model ?? (pattern.includes('*') ? undefined : pattern)
  const known = model === undefined ? undefined : book.find(provider, model, clock.epochMs())
  const priceNow = settings.price === undefined ? pricer(book, provider, model, clock) : undefined
  const { price = unknownPrice } = settings
  return {
    id: `${settings.model ?? pattern}@${settings.provider}`,
    upstream,
    upstreamModel: settings.model,
    clocks: { ...upstream.clocks, ...settings.clocks },
    retry: {
      retries: settings.retries ?? upstream.retry.retries,
      delayMs: settings.retryDelayMs ?? upstream.retry.delayMs,
    },
    weight: settings.weight ?? 1,
    get price() {
      return priceNow?.() ?? price
    },
    traits: { contextTokens: known?.contextTokens, ...settings.traits },
  }
}

/** The price of the moment: the book is asked once a minute, for there is a question with every call. */
function pricer(
  book: PriceBook,
  provider: PricedProvider,
  model: string | undefined,
  clock: Clock,
): () => Price {
  let price = unknownPrice
  let freshUntil = Number.NEGATIVE_INFINITY
  return () => {
    const now = clock.now()
    if (model !== undefined && now >= freshUntil) {
      price = book.lookup(provider, model, clock.epochMs())
      freshUntil = now + freshMs
    }
    return price
  }
}

const freshMs = 60_000
