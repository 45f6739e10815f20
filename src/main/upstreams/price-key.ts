import type { PricedProvider } from '../../catalog/price-book.ts'
import type { Config } from '../../config.ts'
import { isObject } from '../../core/model/json/json.ts'
import { providers } from '../../providers/all.ts'

/** The names under which the price book has a provider of the configuration. */
export function priceKey({ name, type, settings }: Config['providers'][number]): PricedProvider {
  const provider = providers.find((one) => one.type === type)
  return { name, type, list: provider?.priceList === undefined ? type : provider.priceList(settings) }
}

/** The address that a provider is asked at, which tells its list from that of another provider with the same name. */
export function listAddress({ providers: written }: Pick<Config, 'providers'>, name: string): string {
  const found = written.find((one) => one.name === name)
  const settings = isObject(found?.settings) ? found.settings : {}
  const places = ['baseUrl', 'catalogUrl', 'preset'].map((setting) => settings[setting])
  return [found?.type, ...places].map((part) => String(part ?? '')).join(' ')
}
