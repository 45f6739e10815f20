import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Sink } from '../../core/model/ports.ts'
import { attemptFields } from '../../core/model/record/fields/attempt-fields.ts'
import { callFields } from '../../core/model/record/fields/call-fields.ts'
import type { AttemptRecord, CallRecord } from '../../core/model/record/record.ts'

/**
 * The metrics of calls. Labels and values are members of the record's table, so that a metric and the line of the log
 * agree.
 */
export function createCallMetrics(registry: Registry): Sink {
  const ofCalls = callMetrics(registry)
  const ofAnswers = answerMetrics(registry)
  const ofAttempts = attemptMetrics(registry)
  const ofFailures = failureMetrics(registry)
  return {
    write(record) {
      for (const count of ofCalls) count(record)
      // A cached answer has no deployment now, and was counted there when it was made.
      const isAnswered = record.deployment !== undefined && record.cache === undefined
      if (isAnswered) for (const count of ofAnswers) count(record)
      for (const attempt of record.attempts) {
        for (const count of ofAttempts) count(attempt)
        if (attempt.failure !== undefined) for (const count of ofFailures) count(attempt)
      }
    },
  }
}

/** Counts one record. */
type Count<Row> = (row: Row) => void

function callMetrics(registry: Registry): readonly Count<CallRecord>[] {
  const { dialect, status, outcome, stream, totalMs, overheadMs, slow, savedNanoUsd } = callFields
  return [
    counter(registry, 'pandotate_calls_total', 'Calls, answered or aborted.', { dialect, status, outcome }),
    histogram(registry, 'pandotate_call_duration_seconds', 'From the headers of a call to its last byte.', {
      ...{ labels: { dialect, stream }, ms: totalMs, bounds: durationBounds },
    }),
    histogram(
      registry,
      'pandotate_overhead_seconds',
      "The gateway's own share of the time to the first byte.",
      { labels: { dialect }, ms: overheadMs, bounds: overheadBounds },
    ),
    counter(registry, 'pandotate_slow_calls_total', 'Calls past the slow threshold.', { dialect }, slow),
    savings(registry, savedNanoUsd),
  ]
}

/** Of calls that a deployment answered. */
function answerMetrics(registry: Registry): readonly Count<CallRecord>[] {
  const { deployment, stream, firstTokenMs, usageEstimated: estimated } = callFields
  const tokens = counterOf<CallRecord>(registry, 'pandotate_tokens_total', 'Tokens of answered calls.', [
    ...['deployment', 'direction', 'estimated'],
  ])
  const inDirection = (direction: string, amount: Source<CallRecord>) =>
    tokens({ deployment, direction: { of: () => direction }, estimated }, amount)
  return [
    histogram(
      registry,
      'pandotate_time_to_first_token_seconds',
      'From the headers of a call to its first visible token, or to the whole of a JSON reply.',
      { labels: { deployment, stream }, ms: firstTokenMs, bounds: durationBounds },
    ),
    inDirection('prompt', callFields.promptTokens),
    inDirection('completion', callFields.completionTokens),
  ]
}

function attemptMetrics(registry: Registry): readonly Count<AttemptRecord>[] {
  const { deployment, outcome, costNanoUsd } = attemptFields
  return [
    counter(registry, 'pandotate_attempts_total', 'Attempts at upstreams.', { deployment, outcome }),
    costs(registry, costNanoUsd),
  ]
}

function failureMetrics(registry: Registry): readonly Count<AttemptRecord>[] {
  const { deployment, outcome, causeCode } = attemptFields
  const help = 'Attempts that failed, by the code of the underlying error.'
  const labels = { deployment, outcome, cause: boundedCause(causeCode) }
  return [counter(registry, 'pandotate_attempt_failures_total', help, labels)]
}

/** A member of the record's table. */
type Source<Row> = { readonly of: (row: Row) => Value }

type Value = string | number | boolean | null | undefined

type Labels<Row> = Readonly<Record<string, Source<Row>>>

/** Seconds, from a local model's first token to a long answer of a reasoning model. */
const durationBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]
const overheadBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5]

/** Counts each record, or adds `amount`. */
function counter<Row>(
  registry: Registry,
  name: string,
  help: string,
  labels: Labels<Row>,
  amount?: Source<Row>,
): Count<Row> {
  return counterOf<Row>(registry, name, help, Object.keys(labels))(labels, amount)
}

/**
 * An amount of true counts as 1. A record without the amount, or in which it is false, is not counted. Counts are kept
 * here until the metric is read, because the metric finds a cell by a text of its labels, which takes longer to make
 * than all of this.
 */
function counterOf<Row>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
): (labels: Labels<Row>, amount?: Source<Row>) => Count<Row> {
  const cells: Cell[] = []
  new Counter({
    ...{ name, help, labelNames: [...labelNames], registers: [registry] },
    collect() {
      for (const cell of cells) {
        if (cell.count > 0) this.inc(cell.labels, cell.count)
        cell.count = 0
      }
    },
  })
  return (labels, amount) => {
    const cellOf = cellFinder(labels, cells)
    return (row) => {
      const value = amount === undefined ? true : amount.of(row)
      if (value !== undefined && value !== false) cellOf(row).count += Number(value)
    }
  }
}

function histogram<Row>(
  registry: Registry,
  name: string,
  help: string,
  {
    labels,
    ms,
    bounds,
  }: { readonly labels: Labels<Row>; readonly ms: Source<Row>; readonly bounds: number[] },
): Count<Row> {
  const labelNames = Object.keys(labels)
  const metric = new Histogram({ name, help, labelNames, buckets: bounds, registers: [registry] })
  const cellOf = cellFinder(labels)
  return (row) => {
    const value = ms.of(row)
    if (value !== undefined) metric.observe(cellOf(row).labels, Number(value) / 1000)
  }
}

/** One combination of labels. */
class Cell {
  readonly labels: Record<string, string>
  /** Not yet in the metric. */
  count = 0
  /** The cells with one label more, by its value. */
  readonly next = new Map<Value, Cell>()

  constructor(labels: Record<string, string>) {
    this.labels = labels
  }
}

/** The cell of a record. New ones are added to `cells`. */
function cellFinder<Row>(labels: Labels<Row>, cells?: Cell[]): (row: Row) => Cell {
  const sources = Object.entries(labels).map(([name, { of }]) => ({ name, of }))
  const last = sources.at(-1)?.name
  const root = new Cell({})
  if (sources.length === 0) cells?.push(root)
  return (row) => {
    let cell = root
    for (const { name, of } of sources) {
      const value = of(row)
      let next = cell.next.get(value)
      if (next === undefined) {
        next = new Cell({ ...cell.labels, [name]: String(value) })
        cell.next.set(value, next)
        if (name === last) cells?.push(next)
      }
      cell = next
    }
    return cell
  }
}

/** Only error codes of Node.js and libraries become labels, in a bounded number. */
function boundedCause({ of }: Source<AttemptRecord>): Source<AttemptRecord> {
  const causes = new Set<string>()
  return {
    of(attempt) {
      const code = of(attempt)
      if (code === undefined) return 'none'
      const cause = String(code)
      if (!/^[A-Z][A-Z0-9_]{1,39}$/.test(cause)) return 'other'
      if (causes.size < mostCauses) causes.add(cause)
      return causes.has(cause) ? cause : 'other'
    },
  }
}

const mostCauses = 64

/** Summed in whole nano-USD, and shown in USD at each scrape: sums of fractions would drift. */
function costs(registry: Registry, { of }: Source<AttemptRecord>): Count<AttemptRecord> {
  const sums = new Map<string, number>()
  new Counter({
    name: 'pandotate_cost_usd_total',
    help: 'What attempts cost, including those that failed; attempts without a known price are not counted.',
    labelNames: ['deployment'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [deployment, nanoUsd] of sums) this.inc({ deployment }, nanoUsd / 1e9)
    },
  })
  return (attempt) => {
    const nanoUsd = of(attempt)
    const { deployment } = attempt
    if (typeof nanoUsd === 'number') sums.set(deployment, (sums.get(deployment) ?? 0) + nanoUsd)
  }
}

/** The same for what was saved. */
function savings(registry: Registry, { of }: Source<CallRecord>): Count<CallRecord> {
  let sum = 0
  new Gauge({
    name: 'pandotate_saved_usd',
    help: 'What calls would have cost at their baseline, minus their cost; it may go down.',
    registers: [registry],
    collect() {
      this.set(sum / 1e9)
    },
  })
  return (record) => {
    const nanoUsd = of(record)
    if (typeof nanoUsd === 'number') sum += nanoUsd
  }
}
