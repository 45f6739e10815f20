import type { Price } from '../core/model/price.ts'
import { dateAt } from './day.ts'

/** The operator's prices for one deployment, the latest start first. */
export type OwnPrices = readonly OwnPrice[]

/** A price, or hardware whose price is looked up. */
export type OwnPrice = {
  /** The first day on which it applies, in UTC, `2026-12-01`; absent: always. */
  readonly from?: string
} & ({ readonly price: Price } | Hardware)

/** `gpus` cards of this name at the provider. */
export type Hardware = { readonly gpu: string; readonly gpus: number }

/** The entry that applies at that moment; undefined before the first one starts. */
export function ownInForce(own: OwnPrices, epochMs: number): OwnPrice | undefined {
  const today = dateAt(epochMs)
  return own.find(({ from = '' }) => from <= today)
}

/** The next day on which an entry starts. */
export function nextDay(own: OwnPrices, epochMs: number): string | undefined {
  const today = dateAt(epochMs)
  return own.findLast(({ from = '' }) => from > today)?.from
}
