import { Failure } from '../model/failure.ts'
import type { UpstreamHealth } from '../model/ports.ts'
import type { Verdict } from './breaker.ts'

/** The result of asking an upstream for its health, without running a model: its reply, or why there is none. */
export type Probe = { readonly atEpochMs: number; readonly answer: UpstreamHealth | Failure }

export type ProbeOutcome = 'ready' | 'asleep' | 'unready' | 'failed'

/**
 * An upstream that is not ready and reports zero workers is scaled to zero or starting. It is asleep, not unhealthy: a
 * call may be what wakes it. Any other that is not ready is unready.
 */
export function outcomeOf({ answer }: Probe): ProbeOutcome {
  if (answer instanceof Failure) return 'failed'
  if (answer.isReady) return 'ready'
  const { idleWorkers, busyWorkers } = answer
  const isCounted = idleWorkers !== undefined || busyWorkers !== undefined
  return isCounted && (idleWorkers ?? 0) + (busyWorkers ?? 0) === 0 ? 'asleep' : 'unready'
}

/**
 * What the result says about the upstream's deployments. A sleeping upstream counts neither way, nor does a refusal of
 * our key or of the request, or a rate limit.
 */
export function verdictOnProbe(probe: Probe): Verdict {
  const { answer } = probe
  if (answer instanceof Failure) return answer.blame === 'upstream' ? 'failed' : 'neither'
  return verdicts[outcomeOf(probe)]
}

const verdicts = { ready: 'answered', asleep: 'neither', unready: 'failed', failed: 'neither' } as const
