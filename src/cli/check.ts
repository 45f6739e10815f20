import { hardwarePrices } from '../catalog/hardware.ts'
import { createPriceBook } from '../catalog/price-book.ts'
import { shippedPrices } from '../catalog/prices.ts'
import { describeConfig } from '../config.ts'
import { pricedAs } from '../main/priced-as.ts'
import { providers } from '../providers/all.ts'
import type { Command } from './command.ts'
import { readConfig } from './read-config.ts'

/** Reads the configuration and prints what it comes to; a fault in it is reported and exits with 1. */
export const check: Command = async () => {
  const config = readConfig()
  const book = createPriceBook({ shipped: shippedPrices, hardware: hardwarePrices })
  const epochMs = Date.now()
  const text = describeConfig(config, providers, {
    find: (provider, asked) => book.find({ ...asked, provider: pricedAs(provider) }, epochMs),
    epochMs,
  })
  process.stdout.write(`${text}\n`)
  return 0
}
