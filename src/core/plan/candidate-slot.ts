import type { DeploymentHealth, LatestSnapshot } from '../health/deployment-health.ts'
import type { HealthSnapshot } from '../health/health-snapshot.ts'
import type { Deployment, Presence, Traits, Upstream } from '../model/ports.ts'
import type { Price } from '../model/price.ts'
import { expectedNanoUsd, type TokenPrices, tokenPricesOf, tokensNanoUsd } from './expected-cost.ts'
import type { Candidate } from './strategies/candidate.ts'

/** What a call is expected to use at any deployment. */
export type Expected = {
  readonly promptTokens: number
  /** Over all choices, if only the call itself limits them. */
  readonly completionTokens: number
  readonly choices: number
}

/**
 * A deployment as a candidate, reused from call to call: with many deployments, creating candidates per call would be
 * slow. A class, so that all of them share their getters.
 */
export class CandidateSlot implements Candidate {
  /** The deployment for this model. */
  readonly deployment: Deployment
  readonly id: string
  readonly upstream: Upstream
  readonly weight: number
  /** The deployment's price and traits are at most a second old. */
  readonly price: Price
  readonly traits: Traits
  readonly gone: Presence | undefined
  readonly #tokenPrices: TokenPrices | undefined
  readonly #mostTokens: number
  readonly #track: DeploymentHealth
  readonly #latest: LatestSnapshot | undefined
  readonly #estimate: SlotEstimate
  #standing: HealthSnapshot

  constructor(deployment: Deployment, track: DeploymentHealth, estimate: SlotEstimate) {
    const { id, upstream, weight, price, traits, gone } = deployment
    this.deployment = deployment
    this.id = id
    this.upstream = upstream
    this.weight = weight
    this.price = price
    this.traits = traits
    this.gone = gone
    this.#tokenPrices = tokenPricesOf(price)
    this.#mostTokens = traits.maxOutputTokens ?? Number.POSITIVE_INFINITY
    this.#track = track
    this.#latest = track.latest
    this.#estimate = estimate
    this.#standing = track.standing()
  }

  /** Reads the deployment's standing; true if it changed. `now`: the clock's monotonic milliseconds. */
  look(now: number): boolean {
    const latest = this.#latest
    const isFresh = latest !== undefined && now < latest.freshUntil
    const standing = isFresh ? latest.standing : this.#track.standing(now)
    if (standing === this.#standing) return false
    this.#standing = standing
    return true
  }

  get standing(): HealthSnapshot {
    return this.#standing
  }

  get expectedNanoUsd(): number | undefined {
    const { promptTokens, completionTokens: unbounded, choices } = this.#estimate.expected
    const completionTokens = Math.min(unbounded, this.#mostTokens * choices)
    if (this.#tokenPrices !== undefined)
      return tokensNanoUsd(this.#tokenPrices, promptTokens, completionTokens)
    const expected = { promptTokens, cachedTokens: 0, completionTokens }
    return expectedNanoUsd(this.price, expected, this.#standing.pace)
  }

  get isUnmeasured(): boolean {
    return this.price.nanoUsdPerSecond !== undefined && !this.#standing.isMeasured
  }
}

/** The estimate for the call being planned, shared by all slots of a set. */
export type SlotEstimate = { expected: Expected }

/** A snapshot of the candidate that may outlive the call. */
export function copyOf({
  deployment,
  id,
  upstream,
  weight,
  traits,
  gone,
  expectedNanoUsd,
  isUnmeasured,
  standing,
}: Candidate): Candidate {
  return { deployment, id, upstream, weight, traits, gone, expectedNanoUsd, isUnmeasured, standing }
}
