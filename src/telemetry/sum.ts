import { AggregatorRegistry } from 'prom-client'

/** The metrics of one process, as they go to another. */
export type MetricValues = readonly MetricValue[]

type MetricValue = { readonly type: string | number; readonly aggregator: string }

/** The metrics of several processes as those of one: each by its own rule, such as the sum, or the worst of all. */
export async function sumMetrics(all: readonly MetricValues[]): Promise<string> {
  return await aggregated(all).metrics()
}

/** Of what is counted: what a process that ends has counted stays counted. */
export async function sumCounts(all: readonly MetricValues[]): Promise<MetricValues> {
  const counts = all.map((values) => values.filter(({ type }) => type === 'counter' || type === 'histogram'))
  return (await aggregated(counts).getMetricsAsJSON()) as unknown as MetricValues
}

function aggregated(all: readonly MetricValues[]) {
  return AggregatorRegistry.aggregate(all.map((values) => values.map(shown)) as never)
}

/** When the process started is left out by default: the first, which has started the others, tells it for all. */
function shown(value: MetricValue): MetricValue {
  return value.aggregator === 'omit' ? { ...value, aggregator: 'first' } : value
}
