import { createMetrics, type Metrics } from '../../src/telemetry/metrics/metrics.ts'

/** All metrics that a gateway may expose, of one that has nothing to tell yet. */
export function allMetrics(): Metrics {
  const configuration = { loadedEpochMs: 0, isRefused: false, taken: 0, refused: 0 }
  const shedding = { inFlight: 0, inFlightBytes: 0, shed: {} }
  const ledger = {
    ...{
      spooledBytes: 0,
      behindBytes: 0,
      behindMs: 0,
      isDiskFull: false,
      droppedCalls: 0,
      unwrittenCalls: 0,
    },
    ...{ shippedCalls: 0, storeFailures: 0, syncFailures: 0 },
  }
  const catalog = { lists: [], oldestPriceEpochMs: undefined, nowEpochMs: 0 }
  const shared = { isUp: true, losses: 0, latencyMs: 0, nodes: 1, leasedNanoUsd: 0, untold: 0 }
  return createMetrics({
    deployments: () => [],
    configuration: () => configuration,
    shedding: () => shedding,
    ledger: () => ledger,
    catalog: () => catalog,
    budgets: async () => [],
    shared: () => shared,
    traces: () => ({ exported: 0, lost: {} }),
  })
}
