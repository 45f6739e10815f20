import type { Config } from '../../config.ts'
import type { Clock, Deployment } from '../../core/model/ports.ts'
import type { ListReport, ProviderLists } from './provider-lists.ts'

/** The age of the known models and prices, for operators. */
export type CatalogReport = {
  /** The day of the catalogue in use. */
  readonly asOf: string
  /** One entry for each provider that is asked for its list. */
  readonly lists: readonly ListReport[]
  /** When the oldest price of a routed deployment was last read. Undefined: no price is known. */
  readonly oldestPriceEpochMs: number | undefined
  readonly nowEpochMs: number
}

export type CatalogReportParts = {
  readonly config: Pick<Config, 'catalog'>
  readonly lists: ProviderLists | undefined
  readonly deployments: readonly Deployment[]
  readonly clock: Clock
}

export function reportCatalog({ config, lists, deployments, clock }: CatalogReportParts): CatalogReport {
  const read = deployments.flatMap(({ priceOrigin, gone }) =>
    priceOrigin?.asOfEpochMs === undefined || gone !== undefined ? [] : [priceOrigin.asOfEpochMs],
  )
  return {
    asOf: config.catalog.data.asOf,
    lists: lists?.report() ?? [],
    oldestPriceEpochMs: read.length === 0 ? undefined : Math.min(...read),
    nowEpochMs: clock.epochMs(),
  }
}
