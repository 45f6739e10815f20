import type { UpstreamModel } from '../core/ports.ts'
import { type Price, unknownPrice } from '../core/price.ts'
import { matchesPattern } from '../core/router.ts'
import { type ListedPrice, priceOf } from './listed-price.ts'

/**
 * What models cost where, and when. Three layers, the first that knows the model at that moment decides: the
 * operator's own prices, what providers told when they were asked, and what is shipped. An entry is taken whole:
 * what it does not know is not looked for in the next.
 */
export interface PriceBook {
  /** The price in force at that moment; `unknownPrice` where no entry says any. */
  lookup(provider: PricedProvider, model: string, epochMs: number): Price
  /** The same, with where it comes from; undefined where no entry says any. */
  find(provider: PricedProvider, model: string, epochMs: number): KnownPrice | undefined
  /**
   * Takes what the provider of that name lists, from `epochMs` on, in place of what it listed before. All at once:
   * a lookup sees the whole of the one list or the whole of the other. A model without a price is left to the
   * layer below.
   */
  refresh(providerName: string, models: readonly UpstreamModel[], epochMs: number): void
}

/**
 * A provider of the configuration: shipped prices go by the list that holds there, the others by its name. Without a
 * list, no shipped price holds.
 */
export type PricedProvider = { readonly name: string; readonly list: string | undefined }

export type PriceEntry = {
  /** The name of a provider in the operator's own entries, of a list in shipped ones. */
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

export type KnownPrice = {
  readonly price: Price
  readonly contextTokens: number | undefined
  readonly source: string
  readonly isFirm: boolean
  readonly layer: 'own' | 'refreshed' | 'shipped'
}

export type PriceLayers = { readonly own: readonly PriceEntry[]; readonly shipped: readonly PriceEntry[] }

/** Throws RangeError, naming the entry, for a price or a date that is none. */
export function createPriceBook({ own, shipped }: PriceLayers): PriceBook {
  const ownPages = pagesOf(own, 'own')
  const shippedPages = pagesOf(shipped, 'shipped')
  const refreshedPages = new Map<string, Page>()
  const find: PriceBook['find'] = ({ name, list }, model, epochMs) =>
    inForce(ownPages.get(name), model, epochMs) ??
    inForce(refreshedPages.get(name), model, epochMs) ??
    inForce(list === undefined ? undefined : shippedPages.get(list), model, epochMs)
  return {
    find,
    lookup: (provider, model, epochMs) => find(provider, model, epochMs)?.price ?? unknownPrice,
    refresh(providerName, models, epochMs) {
      const page: Page = { exact: new Map(), patterns: [] }
      for (const model of models) {
        if (isKnown(model.price)) page.exact.set(model.id, [listedBy(providerName, model, epochMs)])
      }
      refreshedPages.set(providerName, page)
    },
  }
}

/** The entries of one provider in one layer; of one model, the latest first. */
type Page = {
  readonly exact: Map<string, Dated[]>
  /** The one with the most letters first. */
  readonly patterns: (readonly [pattern: string, entries: Dated[]])[]
}

type Dated = { readonly fromMs: number; readonly untilMs: number; readonly known: KnownPrice }

function pagesOf(entries: readonly PriceEntry[], layer: KnownPrice['layer']): ReadonlyMap<string, Page> {
  const pages = new Map<string, Page>()
  for (const [provider, ofProvider = []] of Object.entries(
    Object.groupBy(entries, (each) => each.provider),
  )) {
    const page: Page = { exact: new Map(), patterns: [] }
    for (const [model, ofModel = []] of Object.entries(Object.groupBy(ofProvider, (each) => each.model))) {
      const dated = ofModel
        .map((entry) => datedOf(entry, layer))
        .toSorted((one, other) => other.fromMs - one.fromMs)
      if (model.includes('*')) page.patterns.push([model, dated])
      else page.exact.set(model, dated)
    }
    page.patterns.sort(([one], [other]) => other.length - one.length)
    pages.set(provider, page)
  }
  return pages
}

function datedOf(entry: PriceEntry, layer: KnownPrice['layer']): Dated {
  const { provider, model, from, until, price, contextTokens, source, isFirm = true } = entry
  try {
    return {
      fromMs: from === undefined ? Number.NEGATIVE_INFINITY : dayOf(from),
      untilMs: until === undefined ? Number.POSITIVE_INFINITY : dayOf(until),
      known: { price: priceOf(price), contextTokens, source, isFirm, layer },
    }
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    throw new RangeError(`The price of ${model} at ${provider}: ${thrown.message}`, { cause: thrown })
  }
}

function listedBy(provider: string, { price, contextTokens }: UpstreamModel, epochMs: number): Dated {
  const known = {
    price,
    contextTokens,
    source: `${provider}'s own list`,
    isFirm: true,
    layer: 'refreshed',
  } as const
  return { fromMs: epochMs, untilMs: Number.POSITIVE_INFINITY, known }
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

function dayOf(date: string): number {
  const epochMs = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(date) : Number.NaN
  // Date.parse takes the 30th of February for March.
  const isReal = !Number.isNaN(epochMs) && new Date(epochMs).toISOString().startsWith(date)
  if (!isReal) throw new RangeError(`Not a day: ${date.slice(0, 40)}`)
  return epochMs
}
