import type { Failure } from '../model/failure.ts'
import type { Verdict } from './breaker.ts'

/** What a failure, or an answer, says about the health of its deployment. */
export function verdictOn(failure: Failure | undefined): Verdict {
  if (failure === undefined) return 'answered'
  if (failure.isStale || failure.isBug) return 'neither'
  if (failure.blame === 'operator') return 'refused'
  return failure.blame === 'upstream' ? 'failed' : 'neither'
}

/** The host is unreachable, the address is wrong, or our key is refused; but a 403 may concern one model only. */
export function concernsAll({ kind, upstreamStatus }: Failure): boolean {
  if (kind === 'path_not_found') return true
  return kind === 'unreachable' || (kind === 'upstream_auth' && upstreamStatus !== 403)
}
