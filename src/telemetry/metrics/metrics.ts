import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { DeploymentReport } from '../../core/health/health-registry.ts'
import type { HealthEvent } from '../../core/health/health-watch.ts'
import { outcomeOf } from '../../core/health/probe.ts'
import type { Sink } from '../../core/model/ports.ts'
import type { MetricValues } from '../sum.ts'
import type { TraceCounts } from '../traces/tracing.ts'
import { type BudgetCounts, showBudgets } from './budget-metrics.ts'
import { createCallMetrics } from './call-metrics.ts'
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
  const calls = createCallMetrics(registry)
  const events = new Counter({
    name: 'pandotate_deployment_events_total',
    help: 'Changes in a deployment’s health: its breaker, its key, its account, its limits.',
    labelNames: ['deployment', 'event'],
    registers: [registry],
  })
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
      events.inc({ deployment, event: type })
    },
    write: calls.write,
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
    'Configurations refused: the last valid one stayed in use.',
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
