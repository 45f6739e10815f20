import type { Logger } from 'pino'
import type { HealthEvent, HealthEventType } from '../core/health/health-watch.ts'
import { causeCodeOf } from '../core/model/record/fields/failure-fields.ts'

/**
 * Logs each change in a deployment's health as a warning, once. Problems of a provider's key, account or address are
 * logged once for all of its deployments.
 */
export function createHealthLog(log: Logger): (event: HealthEvent) => void {
  const logged = new Map<string, HealthEventType>()
  return (event) => {
    const provider = event.deployment.slice(event.deployment.lastIndexOf('@') + 1)
    const well = wellOf.get(event.type)
    if (well !== undefined) {
      const about = `${well} ${provider}`
      if ((logged.get(about) ?? well) === event.type) return
      logged.set(about, event.type)
    }
    const { type, deployment, model, failure, failures, openMs } = event
    const cause = failure && {
      kind: failure.kind,
      code: failure.code,
      upstreamStatus: failure.upstreamStatus,
      operatorNote: failure.operatorNote,
      url: failure.askedUrl,
      causeCode: causeCodeOf(failure),
    }
    const place = { event: type, deployment, provider, model: model?.slice(0, 200) }
    log.warn({ ...place, failures, openMs, ...cause }, sentences[type])
  }
}

/** Problems of a provider, with the event that ends each. */
const wellOf: ReadonlyMap<HealthEventType, HealthEventType> = new Map([
  ['key_refused', 'key_accepted'],
  ['no_credit', 'key_accepted'],
  ['key_accepted', 'key_accepted'],
  ['path_missing', 'path_found'],
  ['path_found', 'path_found'],
])

const sentences: Readonly<Record<HealthEventType, string>> = {
  breaker_opened: 'breaker opened: no calls go there until a trial succeeds',
  breaker_closed: 'breaker closed: calls go there again',
  key_refused: 'the provider refuses our key',
  no_credit: 'our account at the provider has no credit',
  key_accepted: 'the provider accepts our key again',
  path_missing: 'nothing is there at the configured address',
  path_found: 'the configured address is there again',
  limit_met: "the provider's rate limit is reached repeatedly",
  limit_over: "the provider's rate limit is no longer reached",
}
