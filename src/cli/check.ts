import { createPriceBook } from '../catalog/price-book.ts'
import { describeConfig } from '../config.ts'
import { askPrices } from '../main/ask-prices.ts'
import { priceKey } from '../main/price-key.ts'
import { providers } from '../providers/all.ts'
import { defineCommand } from './command.ts'
import { type ConfigOverrides, serverOptions } from './config-options.ts'
import { readConfig } from './read-config.ts'

export const check = defineCommand({
  name: 'check',
  does: 'read the configuration and print what it comes to, keys masked',
  options: {
    prices: { does: 'with the prices that the providers list at this moment' },
    ...serverOptions,
  },
  run: ({ options: { prices, ...overrides }, version }) => checkConfig(overrides, prices === true, version),
})

/** A fault is reported and exits with 1. */
async function checkConfig(
  overrides: ConfigOverrides,
  asksPrices: boolean,
  version: string,
): Promise<number> {
  const config = readConfig(overrides)
  const book = createPriceBook(config.catalog.data, config.catalog.maxPriceAgeDays)
  if (asksPrices) {
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
