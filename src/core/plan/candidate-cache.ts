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

/** A cache of what planning needs of a route's deployments: with many of them, computing it per call would be slow. */
export interface CandidateCache {
  /** True when every deployment works without a key of the caller's own. */
  readonly isOpen: boolean
  /**
   * The candidates for one model, named as in the route or as the caller spells it. `now`: the clock's monotonic
   * milliseconds.
   */
  of(model: string, now: number): CandidateSet
}

interface CandidateSet {
  /** True when one of them charges less for cached input. */
  readonly isSticky: boolean
  /** How many deployments of an order a plan can use. */
  readonly places: number
  readonly incumbent: Incumbent
  /** Filters these candidates. */
  readonly suitability: SuitabilityCache
  /**
   * Updates the candidates for a call, and returns them in the order of the route's deployments. The next call reuses
   * the same objects.
   */
  update(expected: Expected, now: number): readonly Candidate[]
  /** True if, when last read, no candidate had an open breaker, was rate limited or needed measuring. */
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
  const sets = createLruMap<{ set: CandidateSet; freshUntil: number; version: number }>(mostModels)
  return {
    isOpen: deployments.every(({ upstream }) => upstream.admits(undefined)),
    of(model, now) {
      const key = isByName ? model : ''
      const known = sets.get(key)
      const version = drains?.version ?? 0
      if (known !== undefined && now < known.freshUntil && known.version === version) return known.set
      const incumbent = known?.set.incumbent ?? { id: undefined }
      const set = createCandidateSet(
        deployments.map((each) => each.forModel?.(model) ?? each),
        { standings, places, incumbent },
      )
      sets.set(key, { set, freshUntil: now + freshMs, version })
      return set
    },
  }
}

/** Callers may send any model name. */
const mostModels = 100

/** Prices and traits change at most once a minute. */
const freshMs = 1000

type CandidateSetParts = Pick<CandidateSet, 'places' | 'incumbent'> & {
  readonly standings: Pick<HealthRegistry, 'trackOf'>
}

function createCandidateSet(
  deployments: readonly Deployment[],
  { standings, places, incumbent }: CandidateSetParts,
): CandidateSet {
  const estimate: SlotEstimate = { expected: { promptTokens: 0, completionTokens: 0, choices: 1 } }
  const slots = deployments.map((each) => new CandidateSlot(each, standings.trackOf(each), estimate))
  let isCalm = slots.every(isUneventful)
  return {
    isSticky: slots.some(({ price }) => isCheaperCached(price)),
    places,
    incumbent,
    suitability: createSuitabilityCache(slots),
    update(expected, now) {
      estimate.expected = expected
      let hasChanged = false
      for (const slot of slots) hasChanged = slot.look(now) || hasChanged
      if (hasChanged) isCalm = slots.every(isUneventful)
      return slots
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
      let filtered = known.get(key)
      if (filtered === undefined) {
        filtered = filterCandidates(candidates, needs, undefined)
        known.set(key, filtered)
      }
      return filtered
    },
  }
}

/** One bit per need. */
function keyOf({ relay, tools, jsonSchema, vision, logprobs }: Needs): number {
  let key = 0
  for (const isNeeded of [relay, tools, jsonSchema, vision, logprobs]) key = key * 2 + Number(isNeeded)
  return key
}
