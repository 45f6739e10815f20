import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { DeploymentReport } from '../../core/health/health-registry.ts'
import type { HealthEvent } from '../../core/health/health-watch.ts'
import { outcomeOf } from '../../core/health/probe.ts'
import type { Failure } from '../../core/model/failure.ts'
import type { Sink } from '../../core/model/ports.ts'
import { causeCodeOf } from '../../core/model/record/fields/failure-fields.ts'
import type { CallRecord } from '../../core/model/record/record.ts'
import type { MetricValues } from '../sum.ts'
import type { TraceCounts } from '../traces/tracing.ts'
import { type BudgetCounts, showBudgets } from './budget-metrics.ts'
import { type CatalogCounts, showCatalog } from './catalog-metrics.ts'
import { type LedgerCounts, showLedger } from './ledger-metrics.ts'
import { type SharedCounts, showShared } from './shared-metrics.ts'
import { type SheddingCounts, showShedding } from './shedding-metrics.ts'
import { showTraces } from './trace-metrics.ts'

/** The metrics of one gateway: a sink that counts every call, and the text that Prometheus reads. */
export interface Metrics extends Sink {
  /** Counts a change in a deployment's health. */
  noteHealth(event: HealthEvent): void
  readonly contentType: string
  text(): Promise<string>
  /** The counts of this process, to be summed with those of others. */
  values(): Promise<MetricValues>
  /** Our own, without those of Node.js. */
  described(): readonly DescribedMetric[]
}

export type DescribedMetric = {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly labels: readonly string[]
}

/** Sources that are read at each scrape; undefined ones are not shown. */
export type MetricSources = {
  readonly deployments?: () => readonly DeploymentReport[]
  readonly configuration?: () => ConfigurationCounts
  readonly shedding?: () => SheddingCounts
  readonly ledger?: (() => LedgerCounts) | undefined
  readonly catalog?: () => CatalogCounts
  readonly budgets?: () => Promise<readonly BudgetCounts[]>
  readonly shared?: (() => SharedCounts) | undefined
  readonly traces?: (() => TraceCounts) | undefined
}

/** Labels come from the configuration and from closed lists, never from a request: callers cannot create series. */
export function createMetrics(sources: MetricSources = {}): Metrics {
  const { deployments, configuration, shedding, ledger, catalog, budgets, shared, traces } = sources
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const series = createSeries(registry)
  const causes = new Set<string>()
  const money = createMoney(registry)
  if (deployments !== undefined) showDeployments(registry, deployments)
  if (configuration !== undefined) showConfiguration(registry, configuration)
  if (shedding !== undefined) showShedding(registry, shedding)
  if (ledger !== undefined) showLedger(registry, ledger)
  if (catalog !== undefined) showCatalog(registry, catalog)
  if (budgets !== undefined) showBudgets(registry, budgets)
  if (shared !== undefined) showShared(registry, shared)
  if (traces !== undefined) showTraces(registry, traces)
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    values: async () => (await registry.getMetricsAsJSON()) as unknown as MetricValues,
    described: () => registry.getMetricsAsArray().flatMap(describedOf),
    noteHealth({ deployment, type }) {
      series.events.inc({ deployment, event: type })
    },
    write(record) {
      note(series, record, causes)
      noteMoney(money, record)
    },
  }
}

/** prom-client has the label names and the type on the metric itself. */
function describedOf(metric: object): readonly DescribedMetric[] {
  const {
    name,
    help,
    type,
    labelNames = [],
  } = metric as Omit<DescribedMetric, 'labels'> & {
    readonly labelNames?: readonly string[]
  }
  return name.startsWith('pandotate_') ? [{ name, type, help, labels: labelNames }] : []
}

/** How often the configuration was taken and refused since the start. */
export type ConfigurationCounts = {
  readonly loadedEpochMs: number
  readonly isRefused: boolean
  readonly taken: number
  readonly refused: number
}

type Series = ReturnType<typeof createSeries>

/** Seconds, from a local model's first token to a long answer of a reasoning model. */
const durationBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]
const overheadBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5]

function createSeries(registry: Registry) {
  const registers = [registry]
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames, registers })
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: readonly number[],
  ) => new Histogram({ name, help, labelNames, buckets: [...buckets], registers })
  return {
    calls: counter('pandotate_calls_total', 'Calls, answered or aborted.', ['dialect', 'status', 'outcome']),
    durations: histogram(
      'pandotate_call_duration_seconds',
      'From the headers of a call to its last byte.',
      ['dialect', 'stream'],
      durationBounds,
    ),
    firstTokens: histogram(
      'pandotate_time_to_first_token_seconds',
      'From the headers of a call to its first visible token, or to the whole of a JSON reply.',
      ['deployment', 'stream'],
      durationBounds,
    ),
    overheads: histogram(
      'pandotate_overhead_seconds',
      "The gateway's own share of the time to the first byte.",
      ['dialect'],
      overheadBounds,
    ),
    attempts: counter('pandotate_attempts_total', 'Attempts at upstreams.', ['deployment', 'outcome']),
    failures: counter(
      'pandotate_attempt_failures_total',
      'Attempts that failed, by the code of the underlying error.',
      ['deployment', 'outcome', 'cause'],
    ),
    events: counter(
      'pandotate_deployment_events_total',
      'Changes in a deployment’s health: its breaker, its key, its account, its limits.',
      ['deployment', 'event'],
    ),
    tokens: counter('pandotate_tokens_total', 'Tokens of answered calls.', [
      'deployment',
      'direction',
      'estimated',
    ]),
    slow: counter('pandotate_slow_calls_total', 'Calls past the slow threshold.', ['dialect']),
  }
}

function note(series: Series, record: CallRecord, causes: Set<string>): void {
  const { dialect, deployment, outcome, usage } = record
  const stream = record.stream ? 'true' : 'false'
  series.calls.inc({ dialect, status: String(record.status), outcome })
  series.durations.observe({ dialect, stream }, record.totalMs / 1000)
  series.overheads.observe({ dialect }, record.overheadMs / 1000)
  if (record.slow) series.slow.inc({ dialect })
  for (const { deployment, outcome, failure } of record.attempts) {
    series.attempts.inc({ deployment, outcome })
    if (failure !== undefined) series.failures.inc({ deployment, outcome, cause: causeOf(failure, causes) })
  }
  // A cached answer has no deployment now, and was counted there when it was made.
  if (deployment === undefined || record.cache !== undefined) return
  if (record.firstTokenMs !== undefined) {
    series.firstTokens.observe({ deployment, stream }, record.firstTokenMs / 1000)
  }
  if (usage !== undefined) {
    const estimated = record.usageEstimated ? 'true' : 'false'
    series.tokens.inc({ deployment, direction: 'prompt', estimated }, usage.prompt_tokens)
    series.tokens.inc({ deployment, direction: 'completion', estimated }, usage.completion_tokens)
  }
}

/** Only error codes of Node.js and libraries become labels, in a bounded number. */
function causeOf(failure: Failure, causes: Set<string>): string {
  const code = causeCodeOf(failure)
  if (code === undefined) return 'none'
  const cause = `${code}`
  if (!/^[A-Z][A-Z0-9_]{1,39}$/.test(cause)) return 'other'
  if (causes.size < mostCauses) causes.add(cause)
  return causes.has(cause) ? cause : 'other'
}

const mostCauses = 64

/** Summed in whole nano-USD, and shown in USD at each scrape: sums of fractions would drift. */
type Money = { readonly costs: Map<string, number>; savedNanoUsd: number }

function createMoney(registry: Registry): Money {
  const money: Money = { costs: new Map(), savedNanoUsd: 0 }
  new Counter({
    name: 'pandotate_cost_usd_total',
    help: 'What attempts cost, including those that failed; attempts without a known price are not counted.',
    labelNames: ['deployment'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [deployment, nanoUsd] of money.costs) this.inc({ deployment }, nanoUsd / 1e9)
    },
  })
  new Gauge({
    name: 'pandotate_saved_usd',
    help: 'What calls would have cost at their baseline, minus their cost; it may go down.',
    registers: [registry],
    collect() {
      this.set(money.savedNanoUsd / 1e9)
    },
  })
  return money
}

function noteMoney(money: Money, { attempts, savedNanoUsd = 0 }: CallRecord): void {
  money.savedNanoUsd += savedNanoUsd
  for (const { deployment, costNanoUsd } of attempts) {
    if (costNanoUsd === undefined) continue
    money.costs.set(deployment, (money.costs.get(deployment) ?? 0) + costNanoUsd)
  }
}

const breakerStates = { closed: 0, 'half-open': 1, open: 2 } as const

function showDeployments(registry: Registry, deployments: () => readonly DeploymentReport[]): void {
  type Read = (report: DeploymentReport) => number | undefined
  type Worst = 'min' | 'max'
  // For a deployment with many models, the unhealthiest one is shown: one series per model would be unbounded.
  const show = (name: string, help: string, read: Read, aggregator: Worst = 'min') =>
    new Gauge({
      name,
      help,
      labelNames: ['deployment'],
      registers: [registry],
      aggregator,
      collect() {
        // Series of a previous configuration.
        this.reset()
        const values = new Map<string, number>()
        for (const report of deployments()) {
          const value = read(report)
          if (value !== undefined)
            values.set(report.id, Math[aggregator](value, values.get(report.id) ?? value))
        }
        for (const [deployment, value] of values) this.set({ deployment }, value)
      },
    })
  show(
    'pandotate_deployment_breaker_state',
    'The state of each breaker: 0 closed, 1 half-open, 2 open; of a deployment with many models, the worst.',
    ({ breaker }) => breakerStates[breaker],
    'max',
  )
  show(
    'pandotate_deployment_share',
    'The part of its usual calls that a deployment gets: below 1 while its upstream limits the rate.',
    ({ share }) => share,
  )
  show(
    'pandotate_deployment_ready',
    'The result of the last probe: 1 ready, 0 not ready or asleep. Only for probed deployments.',
    ({ probe }) => (probe === undefined ? undefined : Number(outcomeOf(probe) === 'ready')),
  )
}

function showConfiguration(registry: Registry, configuration: () => ConfigurationCounts): void {
  const gauge = (name: string, help: string, read: (counts: ConfigurationCounts) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      aggregator: 'first',
      collect() {
        this.set(read(configuration()))
      },
    })
  const counter = (name: string, help: string, read: (counts: ConfigurationCounts) => number) =>
    new Counter({
      name,
      help,
      registers: [registry],
      aggregator: 'first',
      collect() {
        this.reset()
        this.inc(read(configuration()))
      },
    })
  counter('pandotate_config_reloads_total', 'Configurations applied after the first.', ({ taken }) => taken)
  counter(
    'pandotate_config_reload_failures_total',
    'Configurations refused: the last good one stayed in use.',
    ({ refused }) => refused,
  )
  gauge(
    'pandotate_config_last_reload_successful',
    '1 if the last configuration was applied, 0 if it was refused.',
    ({ isRefused }) => (isRefused ? 0 : 1),
  )
  gauge(
    'pandotate_config_loaded_timestamp_seconds',
    'When the configuration in use was applied.',
    ({ loadedEpochMs }) => loadedEpochMs / 1000,
  )
}
