import type { DeploymentReport } from '../../core/health/health-registry.ts'

/**
 * The health of deployments in several processes, as one: counts are added, and of breakers, shares and rates the worst
 * is reported. Probes come from the first process, the only one that makes them.
 */
export function sumReports(all: readonly (readonly DeploymentReport[])[]): readonly DeploymentReport[] {
  const sums = new Map<string, DeploymentReport>()
  for (const report of all.flat()) {
    const key = `${report.id} ${report.model ?? ''}`
    const before = sums.get(key)
    sums.set(key, before === undefined ? report : summed(before, report))
  }
  return [...sums.values()]
}

function summed(one: DeploymentReport, other: DeploymentReport): DeploymentReport {
  const worst = severities[other.breaker] > severities[one.breaker] ? other : one
  const busiest = other.attempts > one.attempts ? other : one
  return {
    ...worst,
    failuresInARow: Math.max(one.failuresInARow, other.failuresInARow),
    share: Math.min(one.share, other.share),
    limitedUntilEpochMs: latest(one.limitedUntilEpochMs, other.limitedUntilEpochMs),
    successRate: Math.min(one.successRate, other.successRate),
    firstTokenMs: busiest.firstTokenMs ?? one.firstTokenMs ?? other.firstTokenMs,
    tokensPerSecond: busiest.tokensPerSecond ?? one.tokensPerSecond ?? other.tokensPerSecond,
    inFlight: one.inFlight + other.inFlight,
    attempts: one.attempts + other.attempts,
    answered: one.answered + other.answered,
    failed: one.failed + other.failed,
    limited: one.limited + other.limited,
    lastFailure: worst.lastFailure ?? one.lastFailure ?? other.lastFailure,
    probe: one.probe ?? other.probe,
  }
}

const severities = { closed: 0, 'half-open': 1, open: 2 } as const

function latest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}
