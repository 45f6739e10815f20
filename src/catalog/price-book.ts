import type { Presence, Traits, UpstreamHardware, UpstreamModel } from '../core/model/ports.ts'
import { type Price, unknownPrice } from '../core/model/price.ts'
import type { Catalog } from './catalog.ts'
import { dayOf } from './day.ts'
import type { KnownPrice } from './known-price.ts'
import { createListing, type Listing } from './listing.ts'
import { type Hardware, type OwnPrice, type OwnPrices, ownInForce } from './own-prices.ts'
import { createPages, type Entry, type Pages } from './pages.ts'

/**
 * What models cost where, and when. Three layers, the first that knows the model at that moment decides: the
 * operator's own prices, what providers listed when they were asked, and the catalogue. A price is taken whole: what it
 * does not know is not looked for in the next.
 */
export interface PriceBook {
  /** The price in force at that moment, with where it comes from; undefined where no entry says any. */
  find(question: PriceQuestion, epochMs: number): KnownPrice | undefined
  /** What the model holds and can do there, as far as the provider's list tells, and else the catalogue. */
  traits(question: ModelQuestion, epochMs: number): Traits
  /** Whether the provider has the model: by its list, or else by the catalogue. Undefined where neither tells. */
  presence(question: ModelQuestion, epochMs: number): Presence | undefined
  /**
   * Takes what the provider of that name lists, from `epochMs` on, in place of what it listed before. All at once:
   * a question sees the whole of the one list or the whole of the other.
   */
  refresh(providerName: string, models: readonly UpstreamModel[], epochMs: number): void
  /** The same for what a second on its hardware costs, by the names that its own list has for it. */
  refreshHardware(providerName: string, hardware: readonly UpstreamHardware[], epochMs: number): void
  /** The models that a provider lists to be called, by its own list; none where there is no list. */
  served(providerName: string): readonly string[]
  /** Rises with every list that is taken: answers from before it may be others now. */
  readonly version: number
}

export type ModelQuestion = {
  readonly provider: PricedProvider
  /** As the provider knows it; undefined where callers name it: then only the operator's own price holds. */
  readonly model: string | undefined
}

export type PriceQuestion = ModelQuestion & { readonly own?: OwnPrices | undefined }

/**
 * A provider of the configuration: shipped prices of hardware go by its type, those of models by the list that holds
 * there, the others by its name. Without a list, no row of the catalogue holds.
 */
export type PricedProvider = {
  readonly name: string
  readonly type: string
  readonly list: string | undefined
}

export type BookParts = Pick<Catalog, 'models' | 'hardware' | 'sources'>

/** `firmDays`: after so many, an unconfirmed price is no longer firm. Throws RangeError for a bad price. */
export function createPriceBook(catalog: BookParts, firmDays = usualFirmDays): PriceBook {
  const pages = createPages(catalog, firmDays)
  const listings = new Map<string, Listing>()
  const machines = new Map<string, ReadonlyMap<string, KnownPrice>>()
  let version = 0
  // A list that was kept says less than a row that was read after it.
  const listingOf = ({ name }: PricedProvider, row: Entry | undefined) => {
    const listing = listings.get(name)
    return listing !== undefined && listing.epochMs < (row?.asOfEpochMs ?? 0) ? undefined : listing
  }
  return {
    find({ provider, model, own }, epochMs) {
      const written = own && ownInForce(own, epochMs)
      if (written !== undefined) {
        return 'gpu' in written
          ? ofHardware(written, machineOf(provider, written.gpu, epochMs, pages, machines))
          : ofOperator(written.price, written.from)
      }
      if (model === undefined) return undefined
      const row = pages.models(provider.list).latest(model, epochMs)
      const listed = listingOf(provider, row)
      const found = listed?.price(model, epochMs)
      if (found !== undefined) return found
      if (row === undefined) return undefined
      // What its provider no longer has, or no longer names, costs what it did, as far as anybody knows.
      return priceFrom(row, epochMs, epochMs < row.untilMs && listed?.holds(epochMs) !== true)
    },
    traits({ provider, model }, epochMs) {
      if (model === undefined) return {}
      const row = pages.models(provider.list).latest(model, epochMs)
      return { ...row?.traits, ...listingOf(provider, row)?.traits(model, epochMs) }
    },
    presence({ provider, model }, epochMs) {
      if (model === undefined) return undefined
      const row = pages.models(provider.list).latest(model, epochMs)
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
  return { price, source: 'own', sinceEpochMs, asOfEpochMs: undefined, saidBy: undefined, isFirm: true }
}

function priceFrom(entry: Entry, epochMs: number, mayBeFirm: boolean): KnownPrice | undefined {
  return mayBeFirm && epochMs < entry.firmUntilMs ? entry.firm : entry.doubtful
}

/** Of a price for one card; it holds since the operator has that many of them. */
function ofHardware(
  { from, gpus }: OwnPrice & Hardware,
  card: KnownPrice | undefined,
): KnownPrice | undefined {
  const { nanoUsdPerSecond } = card?.price ?? unknownPrice
  if (card === undefined || nanoUsdPerSecond === undefined) return undefined
  const sinceEpochMs = Math.max(card.sinceEpochMs ?? 0, from === undefined ? 0 : dayOf(from))
  return { ...card, price: { ...card.price, nanoUsdPerSecond: nanoUsdPerSecond * gpus }, sinceEpochMs }
}

/** Of several machines with one name, the dearest: the cost is never underestimated. */
function machineOf(
  { name, type }: PricedProvider,
  gpu: string,
  epochMs: number,
  pages: Pages,
  machines: ReadonlyMap<string, ReadonlyMap<string, KnownPrice>>,
): KnownPrice | undefined {
  const row = pages.hardware(type).inForce(gpu, epochMs)
  const listed = machines.get(name)
  const found = [gpu, ...(row?.pools ?? [])].flatMap((one) => listed?.get(one) ?? [])
  const dearest = found.reduce<KnownPrice | undefined>(
    (most, one) => (most === undefined || perSecond(one) > perSecond(most) ? one : most),
    undefined,
  )
  return dearest ?? (row && priceFrom(row, epochMs, true))
}

function listedMachines(
  saidBy: string,
  hardware: readonly UpstreamHardware[],
  epochMs: number,
): ReadonlyMap<string, KnownPrice> {
  const found = new Map<string, KnownPrice>()
  const origin = {
    source: 'listed',
    sinceEpochMs: epochMs,
    asOfEpochMs: epochMs,
    saidBy,
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
