import * as z from 'zod'
import type { Catalog } from '../../catalog/catalog.ts'
import { dayOf } from '../../catalog/day.ts'
import { hardwareNames } from '../../catalog/hardware.ts'
import { priceOf } from '../../catalog/listed-price.ts'
import type { OwnPrice, OwnPrices } from '../../catalog/own-prices.ts'

const amount = z
  .union([z.string(), z.number()])
  .refine((value) => isAccepted(() => priceOf({ unit: 'usd_per_second', work: value })))
  .meta({ exactText: true, expected: 'USD as a decimal number of at least 0, with 9 decimals at most' })
  .exactOptional()

const from = z
  .string()
  .refine((day) => isAccepted(() => dayOf(day)))
  .meta({
    expected: 'a day in UTC, such as 2026-12-01, that no other entry has; one entry may have none',
  })
  .exactOptional()

const expected =
  'a section with input and output (and cachedInput) in USD per million tokens, with perSecond in USD, or with gpu (and gpus); perRequest comes on top'

/** The operator's own price in USD, or a list of prices, each with the day from which it applies. */
export function ownPriceSetting(catalog: Hardwares) {
  const amounts = amountsOf(catalog)
  const one = z.strictObject(amounts).refine(isPrice).meta({ expected })
  const dated = z
    .strictObject({ from, ...amounts })
    .refine(isPrice)
    .meta({ expected })
  const list = z
    .array(dated)
    .min(1)
    .check(({ value, issues }) => {
      const days = value.map((each) => each.from)
      for (const [at, day] of days.entries()) {
        if (days.indexOf(day) < at)
          issues.push({ code: 'custom', path: [at, 'from'], input: day, message: '' })
      }
    })
  return z
    .union([one, list])
    .meta({ expected: `${expected}; or a list of such sections, each with the day from which it applies` })
}

type Hardwares = Pick<Catalog, 'hardware'>

function amountsOf(catalog: Hardwares) {
  const types = [...new Set(catalog.hardware.map(({ provider }) => provider))].toSorted()
  const known = types.map((type) => `at ${type} ${hardwareNames(catalog, type).join(', ')}`).join('; ')
  return {
    input: amount,
    /** The price of cached prompt tokens. */
    cachedInput: amount,
    output: amount,
    perSecond: amount,
    perRequest: amount,
    /** The hardware, by its name in the provider's prices. YAML reads `4090` as a number, so numbers are accepted. */
    gpu: z
      .union([z.string(), z.number()])
      .meta({ exactText: true, expected: `hardware that its provider has a price for: ${known}` })
      .exactOptional(),
    gpus: z.int().min(1).max(64).exactOptional(),
  }
}

export type WrittenPrice = z.infer<ReturnType<typeof ownPriceSetting>>

/** Hardware in the price that has no price at providers of this type, with its path. */
export function unknownHardware(
  written: WrittenPrice,
  type: string | undefined,
  catalog: Hardwares,
): readonly UnknownHardware[] {
  const known = type === undefined ? [] : hardwareNames(catalog, type)
  const unknownIn = ({ gpu }: Entry, ...path: readonly number[]): readonly UnknownHardware[] =>
    gpu === undefined || known.includes(String(gpu)) ? [] : [{ path: [...path, 'gpu'], input: gpu }]
  return Array.isArray(written) ? written.flatMap((entry, at) => unknownIn(entry, at)) : unknownIn(written)
}

type UnknownHardware = { readonly path: readonly (string | number)[]; readonly input: string | number }

/** The prices in whole nano-USD, the latest entry first. */
export function ownPrices(written: WrittenPrice): OwnPrices {
  const entries: readonly Entry[] = Array.isArray(written) ? written : [written]
  return entries
    .toSorted(({ from: one = '' }, { from: other = '' }) => (one < other ? 1 : -1))
    .map((entry) => ({ ...(entry.from === undefined ? {} : { from: entry.from }), ...ownPrice(entry) }))
}

type Entry = z.infer<z.ZodObject<ReturnType<typeof amountsOf>>> & { readonly from?: string }

function ownPrice({ gpu, gpus = 1, perSecond, perRequest: request, ...tokens }: Entry): OwnPrice {
  if (gpu !== undefined) return { gpu: String(gpu), gpus }
  const { input, cachedInput, output } = tokens
  return perSecond === undefined
    ? { price: priceOf({ unit: 'usd_per_million_tokens', input, cachedInput, output, request }) }
    : { price: priceOf({ unit: 'usd_per_second', work: perSecond, request }) }
}

/** True for exactly one kind of price with its own fields. */
function isPrice({ input, cachedInput, output, perSecond, perRequest, gpu, gpus }: Entry): boolean {
  const isByToken = input !== undefined || cachedInput !== undefined || output !== undefined
  if (gpu !== undefined) return !isByToken && perSecond === undefined && perRequest === undefined
  if (gpus !== undefined) return false
  if (perSecond !== undefined) return !isByToken
  return input !== undefined || (output !== undefined && cachedInput === undefined)
}

function isAccepted(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (thrown) {
    if (thrown instanceof RangeError) return false
    throw thrown
  }
}
