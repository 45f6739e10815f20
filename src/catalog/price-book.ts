import type { Presence, Traits, UpstreamHardware, UpstreamModel } from '../core/model/ports.ts'
import { type Price, unknownPrice } from '../core/model/price.ts'
import type { Catalog } from './catalog.ts'
import { type CatalogIndex, createCatalogIndex, type Entry } from './catalog-index.ts'
import { dayOf } from './day.ts'
import type { KnownPrice } from './known-price.ts'
import { createListing, type Listing } from './listing.ts'
import { type Hardware, type OwnPrice, type OwnPrices, ownInForce } from './own-prices.ts'

/**
 * Prices of models over time. Three layers, of which the first that knows the model decides: the operator's own prices,
 * providers' lists, and the catalogue. A price is taken whole: its unknown amounts are not filled from the next layer.
 */
export interface PriceBook {
  /** The price at that moment, with its source; undefined if no layer has any. */
  find(question: PriceQuestion, epochMs: number): KnownPrice | undefined
  /** Context and abilities of the model there, by the provider's list, else by the catalogue. */
  traits(question: ModelQuestion, epochMs: number): Traits
  /** Whether the provider has the model: by its list, else by the catalogue. Undefined if neither reports it. */
  presence(question: ModelQuestion, epochMs: number): Presence | undefined
  /** Replaces a provider's list, from `epochMs` on. Atomic: a reader sees either the old list or the new one. */
  refresh(providerName: string, models: readonly UpstreamModel[], epochMs: number): void
  /** The same for prices per second of hardware, by the names in the provider's list. */
  refreshHardware(providerName: string, hardware: readonly UpstreamHardware[], epochMs: number): void
  /** Callable models in a provider's list; empty without a list. */
  served(providerName: string): readonly string[]
  /** Increases with every list: earlier results may be outdated. */
  readonly version: number
}

export type ModelQuestion = {
  readonly provider: PricedProvider
  /** The provider's name of the model; undefined if callers choose it: then only the operator's own price applies. */
  readonly model: string | undefined
}

export type PriceQuestion = ModelQuestion & { readonly own?: OwnPrices | undefined }

/**
 * A configured provider: shipped prices of hardware go by its type, those of models by its price list, others by its
 * name. Without a price list, no row of the catalogue applies.
 */
export type PricedProvider = {
  readonly name: string
  readonly type: string
  readonly list: string | undefined
}

export type BookParts = Pick<Catalog, 'models' | 'hardware' | 'sources'>

/** `firmDays`: after this many days an unconfirmed price is no longer firm. Throws RangeError for an invalid price. */
export function createPriceBook(catalog: BookParts, firmDays = usualFirmDays): PriceBook {
  const index = createCatalogIndex(catalog, firmDays)
  const listings = new Map<string, Listing>()
  const machines = new Map<string, ReadonlyMap<string, KnownPrice>>()
  let version = 0
  // A stored list counts less than a catalogue row that was read later.
  const listingOf = ({ name }: PricedProvider, row: Entry | undefined) => {
    const listing = listings.get(name)
    return listing !== undefined && listing.epochMs < (row?.asOfEpochMs ?? 0) ? undefined : listing
  }
  return {
    find({ provider, model, own }, epochMs) {
      const written = own && ownInForce(own, epochMs)
      if (written !== undefined) {
        return 'gpu' in written
          ? ofHardware(written, machineOf(provider, written.gpu, epochMs, index, machines))
          : ofOperator(written.price, written.from)
      }
      if (model === undefined) return undefined
      const row = index.models(provider.list).latest(model, epochMs)
      const listed = listingOf(provider, row)
      const found = listed?.price(model, epochMs)
      if (found !== undefined) return found
      if (row === undefined) return undefined
      // The last known price of a model that its provider no longer has or lists.
      return priceFrom(row, epochMs, epochMs < row.untilMs && listed?.holds(epochMs) !== true)
    },
    traits({ provider, model }, epochMs) {
      if (model === undefined) return {}
      const row = index.models(provider.list).latest(model, epochMs)
      return { ...row?.traits, ...listingOf(provider, row)?.traits(model, epochMs) }
    },
    presence({ provider, model }, epochMs) {
      if (model === undefined) return undefined
      const row = index.models(provider.list).latest(model, epochMs)
      const ended = row === undefined || row.untilMs > epochMs ? undefined : row
      const state = listingOf(provider, row)?.state(model, epochMs)
      const successor = row?.successor
      if (state === 'listed') return { state, sinceEpochMs: undefined, successor: undefined }
      if (state !== undefined) return { state, sinceEpochMs: ended?.untilMs, successor }
      return ended && { state: 'retired', sinceEpochMs: ended.untilMs, successor }
    },
    refresh(providerName, models, epochMs) {
      listings.set(providerName, createListing(providerName, models, epochMs, firmDays))
      version++
    },
    refreshHardware(providerName, hardware, epochMs) {
      machines.set(providerName, listedMachines(providerName, hardware, epochMs))
      version++
    },
    served: (providerName) => listings.get(providerName)?.served ?? [],
    get version() {
      return version
    },
  }
}

/** How long a price that was read stays firm, in days. */
export const usualFirmDays = 45

function ofOperator(price: Price, from: string | undefined): KnownPrice {
  const sinceEpochMs = from === undefined ? undefined : dayOf(from)
  return { price, source: 'own', sinceEpochMs, asOfEpochMs: undefined, sourceName: undefined, isFirm: true }
}

function priceFrom(entry: Entry, epochMs: number, mayBeFirm: boolean): KnownPrice | undefined {
  return mayBeFirm && epochMs < entry.firmUntilMs ? entry.firm : entry.doubtful
}

/** Multiplies the price of one card; it applies since the operator has that many. */
function ofHardware(
  { from, gpus }: OwnPrice & Hardware,
  card: KnownPrice | undefined,
): KnownPrice | undefined {
  const { nanoUsdPerSecond } = card?.price ?? unknownPrice
  if (card === undefined || nanoUsdPerSecond === undefined) return undefined
  const sinceEpochMs = Math.max(card.sinceEpochMs ?? 0, from === undefined ? 0 : dayOf(from))
  return { ...card, price: { ...card.price, nanoUsdPerSecond: nanoUsdPerSecond * gpus }, sinceEpochMs }
}

/** Of several machines with one name, the most expensive: the cost is never underestimated. */
function machineOf(
  { name, type }: PricedProvider,
  gpu: string,
  epochMs: number,
  index: CatalogIndex,
  machines: ReadonlyMap<string, ReadonlyMap<string, KnownPrice>>,
): KnownPrice | undefined {
  const row = index.hardware(type).inForce(gpu, epochMs)
  const listed = machines.get(name)
  const found = [gpu, ...(row?.pools ?? [])].flatMap((one) => listed?.get(one) ?? [])
  const dearest = found.reduce<KnownPrice | undefined>(
    (most, one) => (most === undefined || perSecond(one) > perSecond(most) ? one : most),
    undefined,
  )
  return dearest ?? (row && priceFrom(row, epochMs, true))
}

function listedMachines(
  sourceName: string,
  hardware: readonly UpstreamHardware[],
  epochMs: number,
): ReadonlyMap<string, KnownPrice> {
  const found = new Map<string, KnownPrice>()
  const origin = {
    source: 'listed',
    sinceEpochMs: epochMs,
    asOfEpochMs: epochMs,
    sourceName,
    isFirm: true,
  } as const
  for (const { names, nanoUsdPerSecond } of hardware) {
    const known = { ...origin, price: { ...unknownPrice, nanoUsdPerSecond } }
    for (const name of names) {
      const before = found.get(name)
      if (before === undefined || perSecond(before) < nanoUsdPerSecond) found.set(name, known)
    }
  }
  return found
}

function perSecond({ price }: KnownPrice): number {
  return price.nanoUsdPerSecond ?? 0
}
