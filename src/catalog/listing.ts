import type { Traits, UpstreamModel } from '../core/model/ports.ts'
import { isKnownPrice } from '../core/model/price.ts'
import type { KnownPrice } from './known-price.ts'

/** What one provider listed when it was asked, to be looked up. It says nothing of the days before that. */
export interface Listing {
  /** When it was read. */
  readonly epochMs: number
  /** What can be called: of a list that has prices, what has one. */
  readonly served: readonly string[]
  holds(epochMs: number): boolean
  /** Undefined: the list has no price for it. */
  price(model: string, epochMs: number): KnownPrice | undefined
  /** What it tells of the model beside its price. */
  traits(model: string, epochMs: number): Traits
  /**
   * `unpriced`: it stands there without a price, in a list that has prices: what is listed so is not served to
   * everyone. Undefined: the list is of a later day.
   */
  state(model: string, epochMs: number): 'listed' | 'unpriced' | 'unlisted' | undefined
}

/** `firmDays`: after so many days without a newer one, its prices are no longer firm. */
export function createListing(
  saidBy: string,
  models: readonly UpstreamModel[],
  epochMs: number,
  firmDays: number,
): Listing {
  const byId = new Map(models.map((model) => [model.id, pricedBy(saidBy, model, epochMs)]))
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

function pricedBy(saidBy: string, { price, contextTokens, traits }: UpstreamModel, epochMs: number): Row {
  const known = { price, source: 'listed', sinceEpochMs: epochMs, asOfEpochMs: epochMs, saidBy } as const
  const isPriced = isKnownPrice(price)
  return {
    firm: isPriced ? { ...known, isFirm: true } : undefined,
    doubtful: isPriced ? { ...known, isFirm: false } : undefined,
    traits: { ...traits, ...(contextTokens === undefined ? {} : { contextTokens }) },
  }
}
