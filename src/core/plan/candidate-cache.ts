import { takesKind } from '../adapt/convert-kind.ts'
import type { Drains } from '../health/drains.ts'
import type { HealthRegistry } from '../health/health-registry.ts'
import { createLruMap } from '../model/lru-map.ts'
import type { Deployment, Route } from '../model/ports.ts'
import type { Price } from '../model/price.ts'
import { CandidateSlot, type Expected, type SlotEstimate } from './candidate-slot.ts'
import { placesOf } from './router.ts'
import type { Candidate } from './strategies/candidate.ts'
import type { Incumbent } from './strategies/strategy.ts'
import { filterCandidates, type Needs, type SuitableCandidates } from './suitability.ts'

/** What planning reads of a route's deployments, cached: with many of them, computing it per call would be slow. */
export interface CandidateCache {
  /** True when every deployment works without a key of the caller's own. */
  readonly isOpen: boolean
  /** For one model, by the route's spelling or the caller's. `now`: the clock's monotonic milliseconds. */
  of(model: string, now: number): CandidateSet
}

interface CandidateSet {
  /** True when one of them charges less for cached input. */
  readonly isSticky: boolean
  /** How many deployments of an order a plan can use. */
  readonly places: number
  readonly incumbent: Incumbent
  /** The best, over all candidates. */
  readonly sieve: SuitabilityCache
  /** The candidates for a call, in the order of the route's deployments. The next call reuses the same objects. */
  seat(expected: Expected, now: number): readonly Candidate[]
  /** True when, as last read, no candidate has an open breaker, is rate limited, or needs to be measured. */
  isCalm(): boolean
}

/** `attempts` and `drains` as in a planner. */
export function createCandidateCache(
  { deployments }: Route,
  standings: Pick<HealthRegistry, 'trackOf'>,
  attempts: number | undefined,
  drains?: Pick<Drains, 'version'>,
): CandidateCache {
  const isByName = deployments.some(({ forModel }) => forModel !== undefined)
  const places = placesOf(deployments, attempts)
  const lineups = createLruMap<{ lineup: CandidateSet; freshUntil: number; version: number }>(mostModels)
  return {
    isOpen: deployments.every(({ upstream }) => upstream.admits(undefined)),
    of(model, now) {
      const key = isByName ? model : ''
      const known = lineups.get(key)
      const version = drains?.version ?? 0
      if (known !== undefined && now < known.freshUntil && known.version === version) return known.lineup
      const incumbent = known?.lineup.incumbent ?? { id: undefined }
      const lineup = lineUp(
        deployments.map((each) => each.forModel?.(model) ?? each),
        { standings, places, incumbent },
      )
      lineups.set(key, { lineup, freshUntil: now + freshMs, version })
      return lineup
    },
  }
}

/** Callers may send any model name. */
const mostModels = 100

/** Prices and traits change at most once a minute. */
const freshMs = 1000

type LineupParts = Pick<CandidateSet, 'places' | 'incumbent'> & {
  readonly standings: Pick<HealthRegistry, 'trackOf'>
}

function lineUp(
  deployments: readonly Deployment[],
  { standings, places, incumbent }: LineupParts,
): CandidateSet {
  const sitting: SlotEstimate = { expected: { promptTokens: 0, completionTokens: 0, choices: 1 } }
  const seats = deployments.map((each) => new CandidateSlot(each, standings.trackOf(each), sitting))
  let isCalm = seats.every(isUneventful)
  return {
    isSticky: seats.some(({ price }) => isCheaperCached(price)),
    places,
    incumbent,
    sieve: createSuitabilityCache(seats),
    seat(expected, now) {
      sitting.expected = expected
      let hasChanged = false
      for (const seat of seats) hasChanged = seat.look(now) || hasChanged
      if (hasChanged) isCalm = seats.every(isUneventful)
      return seats
    },
    isCalm: () => isCalm,
  }
}

function isUneventful({ standing, isUnmeasured }: Candidate): boolean {
  return standing.breaker !== 'open' && standing.share === 1 && !isUnmeasured
}

function isCheaperCached(price: Price): boolean {
  const { inputNanoUsdPerMillion: input, cachedInputNanoUsdPerMillion: cachedInput } = price
  return input !== undefined && cachedInput !== undefined && cachedInput < input
}

/** Filters the same candidates from call to call. The result is recomputed only when a call has other needs. */
interface SuitabilityCache {
  /** Undefined if the result depends on more than `needs`. */
  filterCandidates(needs: Needs): SuitableCandidates | undefined
}

export function createSuitabilityCache(candidates: readonly Candidate[]): SuitabilityCache {
  const takeAll = candidates.every(
    ({ upstream }) => takesKind(upstream, 'text') && takesKind(upstream, 'chat'),
  )
  const known = new Map<number, SuitableCandidates>()
  return {
    filterCandidates(needs) {
      if (!needs.isPlain || !takeAll) return undefined
      const key = keyOf(needs)
      let sifted = known.get(key)
      if (sifted === undefined) {
        sifted = filterCandidates(candidates, needs, undefined)
        known.set(key, sifted)
      }
      return sifted
    },
  }
}

/** One bit per need. */
function keyOf({ relay, tools, jsonSchema, vision, logprobs }: Needs): number {
  let key = 0
  for (const isNeeded of [relay, tools, jsonSchema, vision, logprobs]) key = key * 2 + Number(isNeeded)
  return key
}
