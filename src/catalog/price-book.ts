import { matchesPattern } from '../core/model/pattern.ts'
import type { UpstreamModel } from '../core/model/ports.ts'
import { type Price, type PriceOrigin, unknownPrice } from '../core/model/price.ts'
import { dayOf } from './day.ts'
import { type ListedPrice, priceOf } from './listed-price.ts'
import { type Hardware, type OwnPrice, type OwnPrices, ownInForce } from './own-prices.ts'

/**
 * What models cost where, and when. Three layers, the first that knows the model at that moment decides: the
 * operator's own prices, what providers listed when they were asked, and what is shipped. An entry is taken whole:
 * what it does not know is not looked for in the next.
 */
export interface PriceBook {
  /** The price in force at that moment, with where it comes from; undefined where no entry says any. */
  find(question: PriceQuestion, epochMs: number): KnownPrice | undefined
  /**
   * Takes what the provider of that name lists, from `epochMs` on, in place of what it listed before. All at once:
   * a question sees the whole of the one list or the whole of the other. A model without a price is left to the
   * layer below.
   */
  refresh(providerName: string, models: readonly UpstreamModel[], epochMs: number): void
}

export type PriceQuestion = {
  readonly provider: PricedProvider
  /** As the provider knows it; undefined where callers name it: then only the operator's own price holds. */
  readonly model: string | undefined
  readonly own?: OwnPrices | undefined
}

/**
 * A provider of the configuration: shipped prices of hardware go by its type, those of models by the list that holds
 * there, the others by its name. Without a list, no shipped price of a model holds.
 */
export type PricedProvider = {
  readonly name: string
  readonly type: string
  readonly list: string | undefined
}

export type PriceEntry = {
  /** The name of a list; of hardware, the provider's type. */
  readonly provider: string
  /** As the provider knows it; `*` stands for any run of characters. An exact name goes before a pattern. */
  readonly model: string
  /** The first day on which it holds, in UTC, `2026-08-18`; left out: it always has. */
  readonly from?: string | undefined
  /** The first day on which it no longer holds. */
  readonly until?: string | undefined
  readonly price: ListedPrice
  /** Prompt and answer together, where the source tells. */
  readonly contextTokens?: number | undefined
  /** Who says so. */
  readonly source: string
  /** False: hearsay, or the provider lists it without serving it. */
  readonly isFirm?: boolean | undefined
}

export type KnownPrice = PriceOrigin & { readonly price: Price; readonly contextTokens: number | undefined }

/** What is shipped: prices of models, and of a second on hardware. */
export type Shipped = { readonly shipped: readonly PriceEntry[]; readonly hardware: readonly PriceEntry[] }

/** Throws RangeError, naming the entry, for a price or a date that is none. */
export function createPriceBook({ shipped, hardware }: Shipped): PriceBook {
  const shippedPages = pagesOf(shipped)
  const hardwarePages = pagesOf(hardware)
  const listedPages = new Map<string, Page>()
  return {
    find({ provider: { name, type, list }, model, own }, epochMs) {
      const written = own && ownInForce(own, epochMs)
      if (written !== undefined) {
        return 'gpu' in written
          ? ofHardware(written, inForce(hardwarePages.get(type), written.gpu, epochMs))
          : ofOperator(written.price, written.from)
      }
      if (model === undefined) return undefined
      return (
        inForce(listedPages.get(name), model, epochMs) ??
        inForce(list === undefined ? undefined : shippedPages.get(list), model, epochMs)
      )
    },
    refresh(providerName, models, epochMs) {
      const page: Page = { exact: new Map(), patterns: [] }
      for (const model of models) {
        if (isKnown(model.price)) page.exact.set(model.id, [listedBy(providerName, model, epochMs)])
      }
      listedPages.set(providerName, page)
    },
  }
}

function ofOperator(price: Price, from: string | undefined): KnownPrice {
  return {
    ...{ price, contextTokens: undefined, source: 'own', saidBy: undefined, isFirm: true },
    sinceEpochMs: from === undefined ? undefined : dayOf(from),
  }
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

/** The entries of one list; of one model, the latest first. */
type Page = {
  readonly exact: Map<string, Dated[]>
  /** The one with the most letters first. */
  readonly patterns: (readonly [pattern: string, entries: Dated[]])[]
}

type Dated = { readonly fromMs: number; readonly untilMs: number; readonly known: KnownPrice }

function pagesOf(entries: readonly PriceEntry[]): ReadonlyMap<string, Page> {
  const pages = new Map<string, Page>()
  for (const [provider, ofProvider = []] of Object.entries(
    Object.groupBy(entries, (each) => each.provider),
  )) {
    const page: Page = { exact: new Map(), patterns: [] }
    for (const [model, ofModel = []] of Object.entries(Object.groupBy(ofProvider, (each) => each.model))) {
      const dated = ofModel.map(datedOf).toSorted((one, other) => other.fromMs - one.fromMs)
      if (model.includes('*')) page.patterns.push([model, dated])
      else page.exact.set(model, dated)
    }
    page.patterns.sort(([one], [other]) => other.length - one.length)
    pages.set(provider, page)
  }
  return pages
}

function datedOf(entry: PriceEntry): Dated {
  const { provider, model, from, until, price, contextTokens, source: saidBy, isFirm = true } = entry
  try {
    const sinceEpochMs = from === undefined ? undefined : dayOf(from)
    return {
      fromMs: sinceEpochMs ?? Number.NEGATIVE_INFINITY,
      untilMs: until === undefined ? Number.POSITIVE_INFINITY : dayOf(until),
      known: { price: priceOf(price), contextTokens, source: 'shipped', sinceEpochMs, saidBy, isFirm },
    }
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    throw new RangeError(`The price of ${model} at ${provider}: ${thrown.message}`, { cause: thrown })
  }
}

function listedBy(saidBy: string, { price, contextTokens }: UpstreamModel, epochMs: number): Dated {
  return {
    fromMs: epochMs,
    untilMs: Number.POSITIVE_INFINITY,
    known: { price, contextTokens, source: 'listed', sinceEpochMs: epochMs, saidBy, isFirm: true },
  }
}

function inForce(page: Page | undefined, model: string, epochMs: number): KnownPrice | undefined {
  if (page === undefined) return undefined
  const holds = ({ fromMs, untilMs }: Dated) => fromMs <= epochMs && epochMs < untilMs
  const exact = page.exact.get(model)?.find(holds)
  if (exact !== undefined) return exact.known
  for (const [pattern, entries] of page.patterns) {
    const fitting = matchesPattern(model, pattern) ? entries.find(holds) : undefined
    if (fitting !== undefined) return fitting.known
  }
  return undefined
}

function isKnown(price: Price): boolean {
  return Object.values(price).some((amount) => amount !== undefined)
}
