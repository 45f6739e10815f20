import * as z from 'zod'
import type { Drain } from '../../core/health/drains.ts'
import type { DeploymentReport } from '../../core/health/health-registry.ts'
import { outcomeOf, type Probe } from '../../core/health/probe.ts'
import { Failure } from '../../core/model/failure.ts'
import type { Deployment, Route } from '../../core/model/ports.ts'
import { knownPriceBody, presenceBody } from '../../http/routes/price.ts'

/** A deployment with its routes. */
export type DeploymentPlace = {
  readonly deployment: Deployment
  /** The names or patterns that lead to it. */
  readonly routes: readonly string[]
}

/**
 * A deployment in several routes may have a price in only one of them. Prefers the one with an operator's own price,
 * then one with any known price, whatever the order of the routes.
 */
export function placesIn(routes: readonly Route[]): ReadonlyMap<string, DeploymentPlace> {
  const places = new Map<string, DeploymentPlace>()
  for (const { pattern, deployments } of routes.toSorted(byPattern)) {
    for (const deployment of deployments) {
      const before = places.get(deployment.id)
      const isBetter = before === undefined || rankOf(deployment) < rankOf(before.deployment)
      places.set(deployment.id, {
        deployment: isBetter ? deployment : before.deployment,
        routes: [...(before?.routes ?? []), pattern],
      })
    }
  }
  return places
}

function byPattern({ pattern: one }: Route, { pattern: other }: Route): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

function rankOf({ priceOrigin }: Deployment): number {
  if (priceOrigin === undefined) return 2
  return priceOrigin.source === 'own' ? 0 : 1
}

/** Unknown values are null. */
export function rowOf(
  report: DeploymentReport,
  place: DeploymentPlace | undefined,
  drain: Drain | undefined,
): z.input<typeof deploymentRow> {
  const { id, model } = report
  const whole = place?.deployment
  const deployment = model === undefined ? whole : (whole?.forModel?.(model) ?? whole)
  return {
    ...{ id, model: model ?? null, provider: whole?.upstream.name ?? null },
    upstream_model: deployment?.upstreamModel ?? null,
    routes: [...(place?.routes ?? [])],
    can_wake: whole?.upstream.wake !== undefined,
    drained: drain === undefined ? null : drainOf(drain),
    price: deployment === undefined ? null : knownPriceBody(deployment.price, deployment.priceOrigin),
    presence: presenceBody(deployment?.presence),
    breaker: report.breaker,
    since_epoch_ms: report.sinceEpochMs,
    failures_in_a_row: report.failuresInARow,
    opens_until_epoch_ms: report.opensUntilEpochMs ?? null,
    share: report.share,
    limited_until_epoch_ms: report.limitedUntilEpochMs ?? null,
    success_rate: report.successRate,
    first_token_ms: report.firstTokenMs ?? null,
    tokens_per_second: report.tokensPerSecond ?? null,
    in_flight: report.inFlight,
    attempts: report.attempts,
    answered: report.answered,
    failed: report.failed,
    limited: report.limited,
    last_failure: report.lastFailure ?? null,
    probe: report.probe === undefined ? null : probeOf(report.probe),
  }
}

const drainRow = z.object({ since: z.iso.datetime(), by: z.string(), reason: z.string().nullable() })

const probeRow = z.object({
  at_epoch_ms: z.number(),
  outcome: z.string(),
  ready: z.boolean(),
  queued: z.int().nullable(),
  idle_workers: z.int().nullable(),
  busy_workers: z.int().nullable(),
  failure: z.string().nullable(),
})

const count = z.int().min(0)

export const deploymentRow = z.object({
  id: z.string(),
  model: z.string().nullable().meta({ description: 'One of those asked for there by the caller’s spelling' }),
  provider: z.string().nullable(),
  upstream_model: z.string().nullable(),
  routes: z.array(z.string()),
  can_wake: z.boolean(),
  drained: drainRow.nullable(),
  price: z.looseObject({}).nullable(),
  presence: z.looseObject({}).nullable(),
  breaker: z.enum(['closed', 'half-open', 'open']),
  since_epoch_ms: z.number(),
  failures_in_a_row: count,
  opens_until_epoch_ms: z.number().nullable(),
  share: z.number(),
  limited_until_epoch_ms: z.number().nullable(),
  success_rate: z.number(),
  first_token_ms: z.number().nullable(),
  tokens_per_second: z.number().nullable(),
  in_flight: count,
  attempts: count,
  answered: count,
  failed: count,
  limited: count,
  last_failure: z.string().nullable(),
  probe: probeRow.nullable(),
})

function drainOf({ sinceEpochMs, by, reason }: Drain): z.input<typeof drainRow> {
  return { since: new Date(sinceEpochMs).toISOString(), by, reason: reason ?? null }
}

/** Only the kind of a failure: its message may repeat an upstream's text. */
function probeOf(probe: Probe): z.input<typeof probeRow> {
  const { atEpochMs, answer } = probe
  const outcome = outcomeOf(probe)
  const isTold = !(answer instanceof Failure)
  return {
    at_epoch_ms: atEpochMs,
    outcome,
    ready: outcome === 'ready',
    queued: isTold ? (answer.queued ?? null) : null,
    idle_workers: isTold ? (answer.idleWorkers ?? null) : null,
    busy_workers: isTold ? (answer.busyWorkers ?? null) : null,
    failure: isTold ? null : answer.kind,
  }
}
