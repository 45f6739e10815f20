import type { Price } from '../core/model/price.ts'
import { dateAt } from './day.ts'

/** What an operator says that one deployment costs, the entry that began last first. */
export type OwnPrices = readonly OwnPrice[]

/** A price of their own, or the hardware it runs on, whose price is looked up. */
export type OwnPrice = {
  /** The first day on which it holds, in UTC, `2026-12-01`; left out: it always has. */
  readonly from?: string
} & ({ readonly price: Price } | Hardware)

/** `gpus` cards of the name that the provider has for them. */
export type Hardware = { readonly gpu: string; readonly gpus: number }

/** The one in force at that moment; undefined before the first has begun. */
export function ownInForce(own: OwnPrices, epochMs: number): OwnPrice | undefined {
  const today = dateAt(epochMs)
  return own.find(({ from = '' }) => from <= today)
}

/** Of those that are yet to begin, the day of the next. */
export function nextDay(own: OwnPrices, epochMs: number): string | undefined {
  const today = dateAt(epochMs)
  return own.findLast(({ from = '' }) => from > today)?.from
}
