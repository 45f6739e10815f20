import type { Failure } from '../model/failure.ts'
import type { Clock } from '../model/ports.ts'
import type { Breaker } from './breaker.ts'

/** A change in the health of a deployment or of one model at it, reported once per change. */
export type HealthEvent = {
  readonly type: HealthEventType
  readonly deployment: string
  /** Undefined: the deployment as a whole. */
  readonly model: string | undefined
  /** The cause; undefined when it is healthy again. */
  readonly failure: Failure | undefined
  /** For a breaker that opened: consecutive failures, and until when it admits no call. */
  readonly failures?: number
  readonly openMs?: number
}

export type HealthEventType = (typeof healthEventTypes)[number]

/** A closed list, because it is a metric label. */
export const healthEventTypes = [
  'breaker_opened',
  'breaker_closed',
  'key_refused',
  'no_credit',
  'key_accepted',
  'path_missing',
  'path_found',
  'limit_met',
  'limit_over',
] as const

export type HealthWatchParts = {
  readonly id: string
  readonly model: string | undefined
  readonly clock: Clock
  /** Undefined: events are not reported. */
  readonly onEvent: ((event: HealthEvent) => void) | undefined
}

/** This many rate-limit refusals within this time are one event, which ends when none occurred for the same time. */
const limitRefusals = 5
const limitWindowMs = 60_000

/** Detects changes at one deployment: of its breaker, key, account and limits. */
export class HealthWatch {
  readonly #parts: HealthWatchParts
  #isOpen = false
  #refusal: 'key_refused' | 'no_credit' | undefined
  #isLost = false
  #limit = { count: 0, since: 0, lastAt: 0, isReported: false }

  constructor(parts: HealthWatchParts) {
    this.#parts = parts
  }

  /** To be called after each attempt and each probe, after the breaker was updated. */
  note(breaker: Pick<Breaker, 'read'>, failure: Failure | undefined): void {
    if (this.#parts.onEvent === undefined) return
    // The usual case: a success at a healthy deployment.
    const isWell = !this.#isOpen && this.#refusal === undefined && !this.#isLost && this.#limit.count === 0
    if (failure === undefined && isWell) return
    this.#noteBreaker(breaker, failure)
    this.#noteKey(failure)
    this.#notePath(failure)
    this.#noteLimit(failure)
  }

  #noteBreaker(breaker: Pick<Breaker, 'read'>, failure: Failure | undefined): void {
    const { state, failures, opensUntil } = breaker.read()
    const isOpen = state !== 'closed'
    if (isOpen === this.#isOpen) return
    this.#isOpen = isOpen
    if (!isOpen) this.#report('breaker_closed', undefined)
    else {
      const openMs = Math.round((opensUntil ?? 0) - this.#parts.clock.now())
      this.#report('breaker_opened', failure, { failures, openMs })
    }
  }

  #noteKey(failure: Failure | undefined): void {
    if (failure === undefined && this.#refusal !== undefined) {
      this.#refusal = undefined
      this.#report('key_accepted', undefined)
    }
    if (failure?.kind !== 'upstream_auth') return
    const refusal = failure.upstreamStatus === 402 ? 'no_credit' : 'key_refused'
    if (refusal === this.#refusal) return
    this.#refusal = refusal
    this.#report(refusal, failure)
  }

  #notePath(failure: Failure | undefined): void {
    const isLost = failure?.kind === 'path_not_found'
    if (isLost === this.#isLost || (failure !== undefined && !isLost)) return
    this.#isLost = isLost
    this.#report(isLost ? 'path_missing' : 'path_found', failure)
  }

  #noteLimit(failure: Failure | undefined): void {
    const limit = this.#limit
    const now = this.#parts.clock.now()
    if (failure?.kind === 'rate_limited') {
      if (now - limit.since > limitWindowMs) Object.assign(limit, { count: 0, since: now })
      limit.count++
      limit.lastAt = now
      if (limit.count < limitRefusals || limit.isReported) return
      limit.isReported = true
      this.#report('limit_met', failure)
    } else if (failure === undefined && limit.count > 0 && now - limit.lastAt > limitWindowMs) {
      if (limit.isReported) this.#report('limit_over', undefined)
      this.#limit = { count: 0, since: 0, lastAt: 0, isReported: false }
    }
  }

  #report(
    type: HealthEventType,
    failure: Failure | undefined,
    more: Pick<HealthEvent, 'failures' | 'openMs'> = {},
  ): void {
    const { id, model, onEvent } = this.#parts
    onEvent?.({ type, deployment: id, model, failure, ...more })
  }
}
