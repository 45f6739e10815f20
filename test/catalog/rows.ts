import type { CatalogModel } from '../../src/catalog/catalog.ts'
import { type BookParts, createPriceBook } from '../../src/catalog/price-book.ts'
import type { UpstreamModel } from '../../src/core/model/ports.ts'
import { type Price, unknownPrice } from '../../src/core/model/price.ts'

/** A provider, a day, and rows of a catalogue for it. */
export const together = { name: 'together-eu', type: 'together', list: 'together' }
export const november = Date.parse('2026-11-23')

export const sources: BookParts['sources'] = {
  list: { name: 'A list', url: 'https://list.example/', readAt: '2026-11-20' },
  other: { name: 'Another', url: 'https://other.example/', readAt: '2026-11-22' },
  old: { name: 'An old one', url: 'https://old.example/', readAt: '2026-08-18', firstHand: true },
}

/** The same for input and output; the sources are both lists by default. */
export function entry(usd: string, rest: Partial<CatalogModel> = {}): CatalogModel {
  return {
    ...{ provider: 'together', model: 'llama', price: { input: usd, output: usd } },
    ...{ sources: ['list', 'other'], ...rest },
  }
}

export function bookOf(...models: readonly CatalogModel[]) {
  return createPriceBook({ models, hardware: [], sources })
}

export function priced(usd: number): Price {
  return { ...unknownPrice, inputNanoUsdPerMillion: usd * 1e9, outputNanoUsdPerMillion: usd * 1e9 }
}

export function listed(id: string, price: Price): UpstreamModel {
  return { id, contextTokens: 8192, price }
}
