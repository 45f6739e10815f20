import pRetry from 'p-retry'
import { type Answer, attempt } from './attempt.ts'
import type { AttemptParts } from './attempt-trace.ts'
import { Failure } from './failure.ts'
import type { Deployment, Random } from './ports.ts'
import type { Plan } from './router.ts'
import type { Standings } from './standings.ts'

export type WalkParts = Omit<AttemptParts, 'deployment' | 'permit'> & {
  readonly plan: Plan
  readonly random: Random
  /** Gives leave for each attempt; undefined: nobody keeps watch, and every attempt has it. */
  readonly standings?: Standings | undefined
}

/**
 * Walks a plan until an answer is committed to. A failure moves on: to a different deployment at once, to one that
 * failed before after a wait that doubles, or after its Retry-After; never to one that can no longer help, or that
 * would have to be waited for past the deadline. Rejects with the last Failure when nothing is left to try.
 */
export async function walk(parts: WalkParts): Promise<Answer> {
  const { plan, signal } = parts
  const path = createPath(parts)
  return await pRetry(() => attempt({ ...parts, ...path.enter() }), {
    retries: plan.length - 1,
    // The wait depends on where the next attempt goes: it is made in shouldRetry, p-retry adds none.
    minTimeout: 0,
    // Nor does it get the signal: it would drop an answer that comes as the caller leaves, its upstream still open.
    shouldRetry: async ({ error }) => {
      signal.throwIfAborted()
      if (!(error instanceof Failure)) return false
      const waitMs = path.moveOn(error)
      if (waitMs === undefined) return false
      if (waitMs > 0) await pause(parts, waitMs)
      return true
    },
  })
}

/** Where the walk stands, and when the deployments that failed may be asked again. */
interface Path {
  /** Where to try now, with leave to. One that is left alone is passed over as long as there is another. */
  enter(): Pick<AttemptParts, 'deployment' | 'permit'>
  /**
   * Goes to the next deployment that may help after this failure, and says how long to wait before it is asked;
   * undefined when there is none.
   */
  moveOn(failure: Failure): number | undefined
}

function createPath({ plan, clock, deadlineAt, random, standings }: WalkParts): Path {
  const failed = new Map<Deployment, { times: number; readyAt: number }>()
  let position = 0
  let current: Deployment = plan[0]
  const noteFailure = (failure: Failure) => {
    const times = (failed.get(current)?.times ?? 0) + 1
    const backoffMs = current.retry.delayMs * 2 ** (times - 1) * (1 + random() / 4)
    const waitMs = failure.again ? Math.max(backoffMs, failure.retryAfterMs ?? 0) : Number.POSITIVE_INFINITY
    failed.set(current, { times, readyAt: clock.now() + waitMs })
  }
  return {
    enter() {
      if (standings === undefined) return { deployment: current }
      const at = position
      for (let next = at; next < plan.length; next++) {
        const deployment = plan[next]
        if (deployment === undefined || (next > at && failed.has(deployment))) continue
        const permit = standings.begin(deployment.id)
        if (permit === undefined) continue
        position = next
        current = deployment
        return { deployment, permit }
      }
      return { deployment: current, permit: standings.insist(current.id) }
    },
    moveOn(failure) {
      if (!failure.again && !failure.elsewhere) return undefined
      noteFailure(failure)
      const now = clock.now()
      while (++position < plan.length) {
        const next = plan[position]
        if (next === undefined) continue
        const waitMs = Math.max(0, (failed.get(next)?.readyAt ?? now) - now)
        if (waitMs > longestWaitMs || now + waitMs >= deadlineAt) continue
        current = next
        return waitMs
      }
      return undefined
    },
  }
}

/** Longer than this, and the caller is better served by an error that says when to come back. */
const longestWaitMs = 60_000

async function pause({ clock, record, signal }: WalkParts, waitMs: number): Promise<void> {
  const before = clock.now()
  await sleep(waitMs, signal)
  record.backoffMs += clock.now() - before
}

function sleep(waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', leave)
      resolve()
    }, waitMs)
    signal.addEventListener('abort', leave, { once: true })
  })
}
