import { AggregatorRegistry } from 'prom-client'

/** The metrics of one process, as sent to another. */
export type MetricValues = readonly MetricValue[]

type MetricValue = { readonly name: string; readonly type: string | number; readonly aggregator: string }

/** Merges the metrics of several processes, each metric by its own rule, such as the sum or the worst. */
export async function sumMetrics(all: readonly MetricValues[]): Promise<string> {
  return await aggregated(all).metrics()
}

/** Counters of a process that has ended keep their values. */
export async function sumCounts(all: readonly MetricValues[]): Promise<MetricValues> {
  const counts = all.map((values) => values.filter(isCount))
  return (await aggregated(counts).getMetricsAsJSON()) as unknown as MetricValues
}

function isCount({ name, type }: MetricValue): boolean {
  return type === 'counter' || type === 'histogram' || countingGauges.has(name)
}

/** Sums since the start that may go down, so that they cannot be counters. */
const countingGauges: ReadonlySet<string> = new Set(['pandotate_saved_usd'])

function aggregated(all: readonly MetricValues[]) {
  return AggregatorRegistry.aggregate(all.map((values) => values.map(shown)) as never)
}

/** The process's start time is omitted by default: the primary reports it for all. */
function shown(value: MetricValue): MetricValue {
  return value.aggregator === 'omit' ? { ...value, aggregator: 'first' } : value
}
