import * as z from 'zod'
import { priceOf } from '../catalog/listed-price.ts'
import type { Price } from '../core/price.ts'

const amount = z
  .union([z.string(), z.number()])
  .refine(isAmount)
  .meta({ exactText: true, expected: 'USD as a decimal number from 0 on, with 9 decimals at most' })
  .exactOptional()

/** A price of the operator's own, in USD: per million tokens, or per second of work. */
export const ownPriceSetting = z
  .strictObject({
    input: amount,
    /** For prompt tokens that were seen before. */
    cachedInput: amount,
    output: amount,
    perSecond: amount,
    perRequest: amount,
  })
  .refine(({ input, cachedInput, output, perSecond }) =>
    perSecond === undefined
      ? input !== undefined || (output !== undefined && cachedInput === undefined)
      : input === undefined && cachedInput === undefined && output === undefined,
  )
  .meta({
    expected:
      'a section with input and output (and cachedInput) in USD per million tokens, or with perSecond in USD; perRequest comes on top',
  })

export type OwnPrice = z.infer<typeof ownPriceSetting>

/** The same in whole nano-USD. */
export function ownPrice({ input, cachedInput, output, perSecond, perRequest: request }: OwnPrice): Price {
  return perSecond === undefined
    ? priceOf({ unit: 'usd_per_million_tokens', input, cachedInput, output, request })
    : priceOf({ unit: 'usd_per_second', work: perSecond, request })
}

function isAmount(value: string | number): boolean {
  try {
    priceOf({ unit: 'usd_per_second', work: value })
    return true
  } catch (thrown) {
    if (thrown instanceof RangeError) return false
    throw thrown
  }
}
