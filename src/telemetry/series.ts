import { Counter, type Histogram as PromHistogram, type Registry } from 'prom-client'

/** A series of metrics: its name, its description, and its label names. */
export type SeriesDescription = {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

/**
 * A counter whose cells are plain numbers. prom-client would hash the labels at every increment; here it exposes the
 * counts at each scrape.
 */
export function createCounter(
  registry: Registry,
  { name, help, labels }: SeriesDescription,
): (...values: string[]) => CounterCell {
  const { all, cellOf } = createCells((values) => ({ labels: labelled(labels, values), count: 0 }))
  new Counter({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      this.reset()
      for (const cell of all) this.inc(cell.labels, cell.count)
    },
  })
  return cellOf
}

export type CounterCell = { count: number }

/** A histogram of the same kind, with ascending upper bounds. */
export function createHistogram(
  registry: Registry,
  description: SeriesDescription,
  bounds: readonly number[],
): (...values: string[]) => HistogramCell {
  const { name, help, labels } = description
  const { all, cellOf } = createCells((values) => createCell(labelled(labels, values), bounds))
  const exposed = {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    labelNames: labels,
    get: async () => ({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: all.flatMap((cell) => exposeCell(name, bounds, cell)),
    }),
  }
  // The registry needs only a metric's name and `get`.
  registry.registerMetric(exposed as unknown as PromHistogram)
  return cellOf
}

export interface HistogramCell {
  observe(value: number): void
}

type Labels = Readonly<Record<string, string>>

type Cell = HistogramCell & {
  readonly labels: Labels
  /** The number of values per bucket. */
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

type Cells<Cell> = {
  /** In the order of first use. */
  readonly all: readonly Cell[]
  cellOf(...values: readonly string[]): Cell
}

/** Nested maps, one per label: a combined key would be a new string to hash for every call. */
function createCells<Cell>(make: (values: readonly string[]) => Cell): Cells<Cell> {
  const all: Cell[] = []
  const root: Branch<Cell> = { cell: undefined, branches: new Map() }
  return {
    all,
    cellOf(...values) {
      const branch = values.reduce(branchOf<Cell>, root)
      if (branch.cell === undefined) {
        branch.cell = make(values)
        all.push(branch.cell)
      }
      return branch.cell
    },
  }
}

type Branch<Cell> = { cell: Cell | undefined; readonly branches: Map<string, Branch<Cell>> }

function branchOf<Cell>({ branches }: Branch<Cell>, value: string): Branch<Cell> {
  let branch = branches.get(value)
  if (branch === undefined) {
    branch = { cell: undefined, branches: new Map() }
    branches.set(value, branch)
  }
  return branch
}

function labelled(names: readonly string[], values: readonly string[]): Labels {
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']))
}
