import { Counter, Gauge, type Registry } from 'prom-client'

/** The state of the shared engine for budgets and limits of several nodes, in numbers. */
export type SharedCounts = {
  readonly isUp: boolean
  /** How often it was lost. */
  readonly losses: number
  readonly latencyMs: number
  readonly nodes: number
  readonly leasedNanoUsd: number
  readonly untold: number
}

/** Shows it; `shared` is read at each scrape. */
export function showShared(registry: Registry, shared: () => SharedCounts): void {
  const gauge = (name: string, help: string, read: (counts: SharedCounts) => number) =>
    new Gauge({
      ...{ name, help, registers: [registry] },
      collect() {
        this.set(read(shared()))
      },
    })
  gauge(
    'pandotate_shared_up',
    '1 while budgets and limits are shared; 0 while the engine is unavailable.',
    (it) => Number(it.isUp),
  )
  gauge(
    'pandotate_shared_latency_seconds',
    'How long one operation takes there: a moving average.',
    (it) => it.latencyMs / 1000,
  )
  gauge('pandotate_shared_nodes', 'Nodes that share, as seen by this one.', (it) => it.nodes)
  gauge(
    'pandotate_shared_leased_usd',
    'What this node has leased of budgets, to use while the engine is unavailable.',
    (it) => it.leasedNanoUsd / 1e9,
  )
  gauge(
    'pandotate_shared_pending_steps',
    'Steps taken while the engine was unavailable, which are not reported to it yet.',
    (it) => it.untold,
  )
  new Counter({
    name: 'pandotate_shared_outages_total',
    help: 'How often the engine went away: the circuit to it opened.',
    registers: [registry],
    collect() {
      this.reset()
      this.inc(shared().losses)
    },
  })
}
