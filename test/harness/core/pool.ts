import type { HealthSnapshot } from '../../../src/core/health/health-snapshot.ts'
import type { Clock, Deployment, Random } from '../../../src/core/model/ports.ts'
import { unknownPrice } from '../../../src/core/model/price.ts'
import type { Candidate } from '../../../src/core/plan/strategies/candidate.ts'
import { aDeployment, scriptedUpstream } from '../scripted-upstream.ts'

/** What a test says of a candidate; the rest is as for one that is well, and of which nothing is known. */
export type Row = Partial<HealthSnapshot> & {
  readonly cost?: number | undefined
  readonly isUnmeasured?: boolean
  readonly deployment?: Partial<Deployment>
}

/** Candidates by their names, which are also those of their providers, in the order written. */
export function poolOf(rows: Readonly<Record<string, Row>>): readonly Candidate[] {
  return Object.entries(rows).map(([name, row]) => aCandidate(name, row))
}

export function aCandidate(
  name: string,
  { cost, isUnmeasured = false, deployment, ...standing }: Row = {},
): Candidate {
  const place = aDeployment(scriptedUpstream([[]], { name }), { price: unknownPrice, ...deployment })
  return {
    deployment: place,
    id: place.id,
    upstream: place.upstream,
    weight: place.weight,
    traits: deployment?.traits ?? {},
    expectedNanoUsd: cost,
    isUnmeasured,
    standing: {
      breaker: 'closed',
      share: 1,
      successRate: 1,
      firstTokenMs: undefined,
      tokensPerSecond: undefined,
      pace: undefined,
      isMeasured: false,
      isUntried: false,
      ...standing,
    },
  }
}

export function namesOf(candidates: readonly Candidate[]): readonly string[] {
  return candidates.map(({ deployment }) => deployment.upstream.name)
}

/** Random numbers that are the same in every run (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A clock that only the test moves. The epoch began a billion seconds before it did. */
export type HandClock = Clock & { move(ms: number): void }

export function handClock(startMs = 1000): HandClock {
  let now = startMs
  return {
    now: () => now,
    epochMs: () => 1e12 + now,
    move(ms) {
      now += ms
    },
  }
}
