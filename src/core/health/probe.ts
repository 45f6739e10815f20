import { Failure } from '../model/failure.ts'
import type { UpstreamHealth } from '../model/ports.ts'
import type { Verdict } from './breaker.ts'

/** What came of asking an upstream how it is doing, no model being run: its word, or why there is none. */
export type Probe = { readonly atEpochMs: number; readonly answer: UpstreamHealth | Failure }

export type ProbeOutcome = 'ready' | 'asleep' | 'unready' | 'failed'

/**
 * An upstream that is not ready and counts its workers, of which it has none, is scaled to zero or on its way up: it
 * is asleep, and not sick, for a call may be what it waits for. Any other that is not ready is unready.
 */
export function outcomeOf({ answer }: Probe): ProbeOutcome {
  if (answer instanceof Failure) return 'failed'
  if (answer.isReady) return 'ready'
  const { idleWorkers, busyWorkers } = answer
  const isCounted = idleWorkers !== undefined || busyWorkers !== undefined
  return isCounted && (idleWorkers ?? 0) + (busyWorkers ?? 0) === 0 ? 'asleep' : 'unready'
}

/**
 * What it says of the upstream's deployments. A sleeper says nothing; neither does a refusal of our key or of the
 * question, or one for asking too often.
 */
export function verdictOnProbe(probe: Probe): Verdict {
  const { answer } = probe
  if (answer instanceof Failure) return answer.blame === 'upstream' ? 'failed' : 'neither'
  return verdicts[outcomeOf(probe)]
}

const verdicts = { ready: 'answered', asleep: 'neither', unready: 'failed', failed: 'neither' } as const
