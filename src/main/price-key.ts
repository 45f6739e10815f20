import type { PricedProvider } from '../catalog/price-book.ts'
import type { Config } from '../config.ts'
import { providers } from '../providers/all.ts'

/** Under what names the price book has a provider of the configuration. */
export function priceKey({ name, type, settings }: Config['providers'][number]): PricedProvider {
  const provider = providers.find((one) => one.type === type)
  return { name, type, list: provider?.priceList === undefined ? type : provider.priceList(settings) }
}
