import pRetry from 'p-retry'
import type { Permit } from '../health/permit.ts'
import type { RetryBudget } from '../health/retry-budget.ts'
import type { AnyCall, Call } from '../model/call.ts'
import type { CallSignal } from '../model/call-signal.ts'
import { Failure } from '../model/failure.ts'
import type { Deployment } from '../model/ports.ts'
import type { Step } from '../model/steps.ts'
import type { Plan } from '../plan/router.ts'
import { type AdmittedAttempt, acquirePermit, type Unplaced } from './acquire-permit.ts'
import type { CallContext } from './call-context.ts'
import { hedge } from './hedge.ts'
import type { AttemptParts } from './open-attempt.ts'
import { pause } from './pause.ts'
import { commitBy } from './share.ts'

/** The call to try, and its plan. */
export type WalkParts<Asked extends AnyCall = Call> = Pick<
  AttemptParts<Asked>,
  'context' | 'call' | 'part' | 'signal' | 'meter'
> & { readonly plan: Plan }

/**
 * Walks a plan until an attempt made by `make` resolves, which commits to its answer. After a failure it moves on: to
 * another deployment at once; to one that failed before after a jittered, doubling wait or its Retry-After, within its
 * upstream's retry budget; never to one that cannot help, or whose wait would exceed the deadline. Rejects with the
 * last Failure when nothing is left to try.
 */
export function walk<Asked extends AnyCall, Made>(
  parts: WalkParts<Asked>,
  make: (parts: AttemptParts<Asked>) => Promise<Made>,
  hedging?: Hedging<Made>,
): Promise<Made> {
  const { context, call, part, signal, meter, plan } = parts
  const request = { context, call, part, signal, meter }
  const path = new PlannedPath(parts)
  const round =
    hedging === undefined
      ? () => acquirePermit(request, path.enter, make)
      : () => hedgedTurn(request, path, make, hedging)
  const sendAgain = (thrown: unknown) => {
    if (!(thrown instanceof Failure && thrown.isStale)) throw thrown
    // Not part of the plan, which counts attempts that the upstream saw: the same deployment, on a new connection.
    return acquirePermit({ ...request, isFresh: true }, path.enter, make)
  }
  const first = begun(round)
  // Nearly every call is answered by its first attempt: the retry machinery is set up only after a failure.
  return first.catch((thrown: unknown) => {
    const turn = (attempt: number) =>
      attempt === 1 ? begun(() => sendAgain(thrown)) : round().catch(sendAgain)
    return pRetry(turn, {
      retries: plan.length - 1,
      // The wait depends on where the next attempt goes, so it is made in shouldRetry, and p-retry adds none.
      minTimeout: 0,
      // p-retry does not get the signal: it would drop an answer that comes as the caller leaves, with its upstream
      // still open.
      shouldRetry: async ({ error }) => {
        signal.throwIfAborted()
        if (!(error instanceof Failure)) return false
        const waitMs = path.moveOn(error)
        if (waitMs === undefined) return false
        context.steps?.tell(...onwardStep(error, waitMs))
        if (waitMs > 0) await backOff(context, signal, waitMs)
        return true
      },
    }).catch((last: unknown) => {
      context.steps?.tell('gives up', { why: last instanceof Failure ? last.kind : 'internal' })
      throw last
    })
  })
}

function onwardStep({ kind: why }: Failure, waitMs: number): [Step, object] {
  return waitMs > 0
    ? ['waits before another attempt', { why, waitMs: Math.round(waitMs) }]
    : ['goes on to another attempt', { why }]
}

/** A synchronous throw becomes a rejection. */
function begun<Made>(round: () => Promise<Made>): Promise<Made> {
  try {
    return round()
  } catch (thrown) {
    return Promise.reject(thrown)
  }
}

/** How a second attempt is made beside a slow first one. */
export type Hedging<Made> = {
  /** Limits how many calls get a second attempt. */
  readonly budget: RetryBudget
  readonly discard: (made: Made) => void
}

/** One attempt, and if its first token or JSON answer takes longer than nearly all before, a second one elsewhere. */
async function hedgedTurn<Asked extends AnyCall, Made>(
  request: Unplaced<Asked>,
  path: Path,
  make: (parts: AttemptParts<Asked>) => Promise<Made>,
  { budget, discard }: Hedging<Made>,
): Promise<Made> {
  request.signal.throwIfAborted()
  let ready: AdmittedAttempt | undefined = path.enter()
  const { deployment } = ready
  const { upstream } = deployment
  const enter = () => {
    const entered = ready ?? path.enter()
    ready = undefined
    return entered
  }
  budget.note(upstream.name)
  const track = request.context.standings?.trackOf(deployment)
  const isStream = 'stream' in request.call && request.call.stream
  const afterMs = isStream ? track?.slowFirstTokenMs() : track?.slowAnswerMs()
  if (afterMs === undefined) return await acquirePermit(request, enter, make)
  return await hedge({
    afterMs,
    signal: request.signal,
    first: (signal) => acquirePermit({ ...request, signal }, enter, make),
    second(signal) {
      const other = path.other(() => budget.take(upstream.name))
      return (
        other && acquirePermit({ ...request, signal }, () => other, make).catch(path.blame(other.deployment))
      )
    },
    discard,
  })
}

/** The position in the plan, and when deployments that failed may be tried again. */
interface Path {
  /** The next deployment, with a permit. One that admits no calls is skipped as long as there is another. */
  readonly enter: () => AdmittedAttempt
  /**
   * Moves to the next deployment that may help after this failure, and returns how long to wait for it; undefined when
   * there is none.
   */
  moveOn(failure: Failure): number | undefined
  /** Another deployment that has not failed, with a permit, if `may` allows it. */
  other(may: () => boolean): AdmittedAttempt | undefined
  /** Notes that a hedged deployment failed, and rethrows. */
  blame(deployment: Deployment): (thrown: unknown) => never
}

/** A class, not a closure: one per call, so that its methods live on the prototype. */
class PlannedPath implements Path {
  readonly #parts: WalkParts<AnyCall>
  /** Created with the first failure: most calls have none. */
  #failed: Map<Deployment, { times: number; readyAt: number }> | undefined
  #position = 0
  #current: Deployment

  constructor(parts: WalkParts<AnyCall>) {
    this.#parts = parts
    this.#current = parts.plan[0]
  }

  readonly enter = (): AdmittedAttempt => {
    const entered = this.#entered()
    this.#parts.context.retryBudget?.note(entered.deployment.upstream.name)
    return entered
  }

  moveOn(failure: Failure): number | undefined {
    const isTooLong = failure.kind === 'context_length'
    if (!failure.again && !failure.elsewhere && !isTooLong) return undefined
    const { plan, context } = this.#parts
    const { clock, deadlineAt, retryBudget } = context
    const { contextTokens: tried } = this.#current.traits
    this.#noteFailure(this.#current, failure)
    const now = clock.now()
    while (++this.#position < plan.length) {
      const next = plan[this.#position]
      if (next === undefined || (isTooLong && !holdsMore(next, tried))) continue
      const before = this.#failed?.get(next)
      const waitMs = Math.max(0, (before?.readyAt ?? now) - now)
      if (waitMs > longestWaitMs || now + waitMs >= deadlineAt) continue
      if (before !== undefined && retryBudget?.take(next.upstream.name) === false) continue
      this.#current = next
      return waitMs
    }
    return undefined
  }

  other(may: () => boolean): AdmittedAttempt | undefined {
    const { plan, context } = this.#parts
    const { standings, retryBudget } = context
    const others = plan.slice(this.#position + 1)
    const deployment = others.find((one) => one !== this.#current && !this.#hasFailed(one))
    if (deployment === undefined || !may()) return undefined
    const permit = standings?.trackOf(deployment).begin()
    if (permit === undefined) return undefined
    retryBudget?.note(deployment.upstream.name)
    return { deployment, permit }
  }

  blame(deployment: Deployment): (thrown: unknown) => never {
    return (thrown) => {
      if (thrown instanceof Failure) this.#noteFailure(deployment, thrown)
      throw thrown
    }
  }

  #entered(): AdmittedAttempt {
    const { plan, context } = this.#parts
    const { standings } = context
    if (standings === undefined) return this.#timed(this.#current, undefined)
    const at = this.#position
    for (let next = at; next < plan.length; next++) {
      const deployment = plan[next]
      if (deployment === undefined || (next > at && this.#hasFailed(deployment))) continue
      const permit = standings.trackOf(deployment).begin()
      if (permit === undefined) {
        this.#notePassedOver(deployment)
        continue
      }
      this.#position = next
      this.#current = deployment
      return this.#timed(deployment, permit)
    }
    return this.#timed(this.#current, standings.trackOf(this.#current).insist())
  }

  #timed(deployment: Deployment, permit: Permit | undefined): AdmittedAttempt {
    const { call, context } = this.#parts
    const { clock, deadlineAt, standings } = context
    const others = this.#othersThan(deployment)
    const now = clock.now()
    const standing = others === 0 ? undefined : standings?.trackOf(deployment).standing(now)
    const { tokensPerSecond, firstTokenMs } = standing ?? unmeasured
    const isTrial = permit?.isTrial === true
    const time = { call, deployment, now, deadlineAt, others, tokensPerSecond, firstTokenMs, isTrial }
    return { deployment, permit, commitBy: commitBy(time) }
  }

  /** How many others of the plan have not been tried yet. */
  #othersThan(deployment: Deployment): number {
    const { plan } = this.#parts
    let others = 0
    for (let next = this.#position + 1; next < plan.length; next++) {
      const other = plan[next]
      const isNew = other !== undefined && other !== deployment && plan.indexOf(other) === next
      if (isNew && !this.#hasFailed(other)) others++
    }
    return others
  }

  #notePassedOver({ id }: Deployment): void {
    const { record, steps } = this.#parts.context
    if (record.passesOver(id)) steps?.tell('passed over', { deployment: id, why: 'breaker' })
  }

  #hasFailed(deployment: Deployment): boolean {
    return this.#failed?.has(deployment) === true
  }

  #noteFailure(deployment: Deployment, failure: Failure): void {
    const { clock, random } = this.#parts.context
    this.#failed ??= new Map()
    const times = (this.#failed.get(deployment)?.times ?? 0) + 1
    // Full jitter: on average the delay, doubled each time.
    const backoffMs = deployment.retry.delayMs * 2 ** times * random()
    const waitMs = failure.again ? Math.max(backoffMs, failure.retryAfterMs ?? 0) : Number.POSITIVE_INFINITY
    this.#failed.set(deployment, { times, readyAt: clock.now() + waitMs })
  }
}

/** A prompt that is too long for one deployment goes only to one that is known to hold more. */
function holdsMore({ traits: { contextTokens } }: Deployment, tried: number | undefined): boolean {
  return contextTokens !== undefined && tried !== undefined && contextTokens > tried
}

const unmeasured = { tokensPerSecond: undefined, firstTokenMs: undefined }

/** For longer waits, an error with a Retry-After serves the caller better. */
const longestWaitMs = 60_000

async function backOff({ clock, record }: CallContext, signal: CallSignal, waitMs: number): Promise<void> {
  const before = clock.now()
  await pause(waitMs, signal)
  record.waited(clock.now() - before)
}
