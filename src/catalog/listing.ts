import type { Traits, UpstreamModel } from '../core/model/ports.ts'
import { isKnownPrice } from '../core/model/price.ts'
import type { KnownPrice } from './known-price.ts'

/** One provider's list when it was read. It does not apply to earlier days. */
export interface Listing {
  /** When it was read. */
  readonly epochMs: number
  /** Models that can be called: of a list with prices, only those that have one. */
  readonly served: readonly string[]
  holds(epochMs: number): boolean
  /** Undefined: the list has no price for it. */
  price(model: string, epochMs: number): KnownPrice | undefined
  /** Further facts about the model. */
  traits(model: string, epochMs: number): Traits
  /**
   * `unpriced`: listed without a price in a list with prices, so not served to everyone. Undefined: the list is from a
   * later day.
   */
  state(model: string, epochMs: number): 'listed' | 'unpriced' | 'unlisted' | undefined
}

/** `firmDays`: after this many days without an update its prices are no longer firm. */
export function createListing(
  sourceName: string,
  models: readonly UpstreamModel[],
  epochMs: number,
  firmDays: number,
): Listing {
  const byId = new Map(models.map((model) => [model.id, pricedBy(sourceName, model, epochMs)]))
  const hasPrices = models.some(({ price }) => isKnownPrice(price))
  const firmUntilMs = epochMs + firmDays * dayMs
  const at = (model: string, when: number) => (when < epochMs ? undefined : byId.get(model))
  const served = models.filter(
    ({ price, isOther }) => isOther !== true && (!hasPrices || isKnownPrice(price)),
  )
  return {
    epochMs,
    served: served.map(({ id }) => id),
    holds: (when) => when >= epochMs,
    price(model, when) {
      const row = at(model, when)
      return when < firmUntilMs ? row?.firm : row?.doubtful
    },
    traits: (model, when) => at(model, when)?.traits ?? {},
    state(model, when) {
      if (when < epochMs) return undefined
      const row = byId.get(model)
      if (row === undefined) return 'unlisted'
      return row.firm === undefined && hasPrices ? 'unpriced' : 'listed'
    },
  }
}

const dayMs = 86_400_000

type Row = {
  readonly firm: KnownPrice | undefined
  readonly doubtful: KnownPrice | undefined
  readonly traits: Traits
}

function pricedBy(sourceName: string, { price, contextTokens, traits }: UpstreamModel, epochMs: number): Row {
  const known = { price, source: 'listed', sinceEpochMs: epochMs, asOfEpochMs: epochMs, sourceName } as const
  const isPriced = isKnownPrice(price)
  return {
    firm: isPriced ? { ...known, isFirm: true } : undefined,
    doubtful: isPriced ? { ...known, isFirm: false } : undefined,
    traits: { ...traits, ...(contextTokens === undefined ? {} : { contextTokens }) },
  }
}
