import type { Price, PriceOrigin } from '../core/model/price.ts'

export type KnownPrice = PriceOrigin & { readonly price: Price }
