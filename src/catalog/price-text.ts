import { nanoUsd, roundedNanoUsd } from '../core/model/price.ts'
import type { CatalogPrice } from './catalog.ts'

/** `2.5 in, 7.5 out, 0.5 cached`, in USD per million tokens. */
export function priceText(price: CatalogPrice | undefined): string {
  const parts = [
    ['in', price?.input],
    ['out', price?.output],
    ['cached', price?.cachedInput],
  ] as const
  const amounts = parts.flatMap(([what, amount]) => (amount === undefined ? [] : [`${amount} ${what}`]))
  return amounts.join(', ') || 'no price'
}

/** The same for input, output and, if both have it, cached input. */
export function samePrice(one: CatalogPrice | undefined, other: CatalogPrice | undefined): boolean {
  const isSame = (name: 'input' | 'output' | 'cachedInput') =>
    nanoUsdOf(one?.[name]) === nanoUsdOf(other?.[name])
  const knowBoth = one?.cachedInput !== undefined && other?.cachedInput !== undefined
  return isSame('input') && isSame('output') && (!knowBoth || isSame('cachedInput'))
}

/** An amount of a validated catalogue. */
export function nanoUsdOf(amount: string | number | undefined): number | undefined {
  if (amount === undefined) return undefined
  return typeof amount === 'string' ? nanoUsd(amount) : roundedNanoUsd(amount)
}
