import { Gauge, type Registry } from 'prom-client'

/** The age of the data about models and prices. */
export type CatalogCounts = {
  readonly lists: readonly {
    readonly provider: string
    readonly readEpochMs: number | undefined
    readonly models: number
    readonly failures: number
  }[]
  readonly oldestPriceEpochMs: number | undefined
  readonly nowEpochMs: number
}

/** Read at each scrape. */
export function showCatalog(registry: Registry, read: () => CatalogCounts): void {
  const age = ({ nowEpochMs }: CatalogCounts, epochMs: number | undefined) =>
    epochMs === undefined ? undefined : Math.max(0, (nowEpochMs - epochMs) / 1000)
  new Gauge({
    name: 'pandotate_price_age_seconds',
    help: 'The age of the oldest price of a routed deployment.',
    registers: [registry],
    aggregator: 'first',
    collect() {
      const counts = read()
      const oldest = age(counts, counts.oldestPriceEpochMs)
      this.reset()
      if (oldest !== undefined) this.set(oldest)
      else this.remove()
    },
  })
  type List = CatalogCounts['lists'][number]
  const ofLists = (
    name: string,
    help: string,
    value: (list: List, counts: CatalogCounts) => number | undefined,
  ) =>
    new Gauge({
      name,
      help,
      labelNames: ['provider'],
      registers: [registry],
      aggregator: 'first',
      collect() {
        const counts = read()
        this.reset()
        for (const list of counts.lists) {
          const count = value(list, counts)
          if (count !== undefined) this.set({ provider: list.provider }, count)
        }
      },
    })
  ofLists(
    'pandotate_provider_list_age_seconds',
    'How long ago a provider last listed its models.',
    (list, counts) => age(counts, list.readEpochMs),
  )
  ofLists(
    'pandotate_provider_listed_models',
    'Models in a provider\u2019s last list.',
    ({ models }) => models,
  )
  ofLists(
    'pandotate_provider_list_consecutive_failures',
    'Failures in a row to list a provider’s models.',
    ({ failures }) => failures,
  )
}
