import { Counter, type Histogram as PromHistogram, type Registry } from 'prom-client'

/** What a series of metrics is: its name, what it tells, and the names of its labels. */
export type SeriesDescription = {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

/**
 * A counter whose cells are plain numbers. prom-client would hash the labels at every increment; here it is asked
 * to expose what was counted, at each scrape.
 */
export function createCounter(
  registry: Registry,
  { name, help, labels }: SeriesDescription,
): (...values: string[]) => CounterCell {
  const cells = new Map<string, { readonly labels: Labels; count: number }>()
  new Counter({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      this.reset()
      for (const cell of cells.values()) this.inc(cell.labels, cell.count)
    },
  })
  return (...values) => cellOf(cells, values, () => ({ labels: labelled(labels, values), count: 0 }))
}

export type CounterCell = { count: number }

/** A histogram of the same make, with upper bounds in ascending order. */
export function createHistogram(
  registry: Registry,
  description: SeriesDescription,
  bounds: readonly number[],
): (...values: string[]) => HistogramCell {
  const { name, help, labels } = description
  const cells = new Map<string, Cell>()
  const exposed = {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    get: async () => ({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: cells
        .values()
        .flatMap((cell) => exposeCell(name, bounds, cell))
        .toArray(),
    }),
  }
  // The registry asks no more of a metric than its name and `get`.
  registry.registerMetric(exposed as unknown as PromHistogram)
  return (...values) => cellOf(cells, values, () => createCell(labelled(labels, values), bounds))
}

export interface HistogramCell {
  observe(value: number): void
}

type Labels = Readonly<Record<string, string>>

type Cell = HistogramCell & {
  readonly labels: Labels
  /** How many values fell under each bound and above the one before. */
  readonly counts: Float64Array
  readonly totals: { sum: number; count: number }
}

function createCell(labels: Labels, bounds: readonly number[]): Cell {
  const counts = new Float64Array(bounds.length)
  const totals = { sum: 0, count: 0 }
  return {
    labels,
    counts,
    totals,
    observe(value) {
      totals.sum += value
      totals.count++
      const bound = bounds.findIndex((upper) => value <= upper)
      if (bound !== -1) counts[bound] = (counts[bound] ?? 0) + 1
    },
  }
}

type Exposed = { readonly metricName: string; readonly labels: Labels; readonly value: number }

function exposeCell(name: string, bounds: readonly number[], { labels, counts, totals }: Cell): Exposed[] {
  let below = 0
  const buckets = bounds.map((bound, at): Exposed => {
    below += counts[at] ?? 0
    return { metricName: `${name}_bucket`, labels: { ...labels, le: String(bound) }, value: below }
  })
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: totals.count },
    { metricName: `${name}_sum`, labels, value: totals.sum },
    { metricName: `${name}_count`, labels, value: totals.count },
  ]
}

function cellOf<Cell>(cells: Map<string, Cell>, values: readonly string[], make: () => Cell): Cell {
  const key = values.length === 1 ? (values[0] ?? '') : values.join('\n')
  let cell = cells.get(key)
  if (cell === undefined) {
    cell = make()
    cells.set(key, cell)
  }
  return cell
}

function labelled(names: readonly string[], values: readonly string[]): Labels {
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']))
}
