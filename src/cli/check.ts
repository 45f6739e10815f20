import { parseArgs } from 'node:util'
import { hardwarePrices } from '../catalog/hardware.ts'
import { createPriceBook } from '../catalog/price-book.ts'
import { shippedPrices } from '../catalog/prices.ts'
import { describeConfig } from '../config.ts'
import { askPrices } from '../main/ask-prices.ts'
import { priceKey } from '../main/price-key.ts'
import { providers } from '../providers/all.ts'
import type { Command } from './command.ts'
import { readConfig } from './read-config.ts'

/**
 * Reads the configuration and prints what it comes to; a fault in it is reported and exits with 1. With `--prices` the
 * providers are asked for theirs first.
 */
export const check: Command = async (words, version) => {
  const { values } = parseArgs({ args: [...words], options: { prices: { type: 'boolean' } } })
  const config = readConfig()
  const book = createPriceBook({ shipped: shippedPrices, hardware: hardwarePrices })
  if (values.prices === true) {
    const clock = { now: () => performance.now(), epochMs: () => Date.now() }
    for (const name of await askPrices({ config, book, clock }, version)) {
      process.stderr.write(`${name} did not list its models.\n`)
    }
  }
  const epochMs = Date.now()
  const text = describeConfig(config, providers, {
    find: (provider, asked) => book.find({ ...asked, provider: priceKey(provider) }, epochMs),
    epochMs,
  })
  process.stdout.write(`${text}\n`)
  return 0
}
