import {
  createHealthRegistry,
  type HealthRegistry,
  type Place,
} from '../../../src/core/health/health-registry.ts'
import type { Ending } from '../../../src/core/health/permit.ts'
import { Failure, type FailureKind } from '../../../src/core/model/failure.ts'
import { type HandClock, handClock } from './pool.ts'

export const one = { id: 'some-model@one' }
export const other = { id: 'some-model@other' }

export const answered: Ending = {
  failure: undefined,
  firstTokenMs: 200,
  completionTokens: 101,
  durationMs: 1200,
}

/** The standings of the two, and the clock they go by. */
export function some(): { readonly standings: HealthRegistry; readonly clock: HandClock } {
  const clock = handClock()
  return { clock, standings: createHealthRegistry([one.id, other.id], clock, () => 0) }
}

/** So many attempts that end alike. */
export function play(standings: HealthRegistry, place: Place, kind: FailureKind | 'ok', times: number): void {
  for (let time = 0; time < times; time++) {
    end(standings, place, kind === 'ok' ? undefined : new Failure(kind, 'It did not go well.'))
  }
}

/** One attempt, ended so. */
export function end(standings: HealthRegistry, place: Place, failure: Failure | undefined): void {
  standings
    .trackOf(place)
    .insist()
    .end({ ...answered, failure })
}
