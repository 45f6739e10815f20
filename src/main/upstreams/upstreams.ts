import type { Config } from '../../config.ts'
import type { SharedPlaces } from '../../core/health/shared-places.ts'
import type { Upstream } from '../../core/model/ports.ts'
import { providers } from '../../providers/all.ts'
import type { ProviderTools } from '../../providers/base/provider.ts'

/** The providers of a configuration, by name. They open no connection yet. */
export function createUpstreams(config: Config, tools: ProviderTools): ReadonlyMap<string, Upstream> {
  return new Map(
    config.providers.map(({ name, type, settings }) => {
      const provider = providers.find((one) => one.type === type)
      if (provider === undefined) throw new TypeError(`The configuration names an unknown type: ${type}`)
      return [name, provider.create(name, settings, tools)]
    }),
  )
}

/** Applies the concurrency limit of each provider to all processes of the gateway together. */
export function sharePlaces(
  upstreams: ReadonlyMap<string, Upstream>,
  places: Pick<SharedPlaces, 'of'>,
): void {
  for (const [name, { queue }] of upstreams) queue?.share((limit) => places.of(name, limit))
}
