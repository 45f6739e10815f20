import type { Logger } from 'pino'
import { asFailure, Failure } from '../../core/model/failure.ts'
import type { Deployment } from '../../core/model/ports.ts'
import type { Waker } from '../../http/routes/wake.ts'
import { withTimeout } from './with-timeout.ts'

/** Wakes these deployments, and logs it. */
export function createWaker(deployments: Iterable<Deployment>, log: Logger): Waker {
  const upstreams = new Map(Array.from(deployments, ({ id, upstream }) => [id, upstream]))
  return {
    async wake(id, signal) {
      const upstream = upstreams.get(id)
      if (upstream === undefined) throw unknownDeployment(id)
      const { name: provider, wake } = upstream
      if (wake === undefined) throw nothingToWake(id, provider)
      try {
        await withTimeout(upstream, (bounded) => wake.call(upstream, bounded), { signal, timeoutMs })
      } catch (thrown) {
        const { kind, upstreamStatus, operatorNote } = asFailure(thrown)
        log.warn({ deployment: id, provider, failure: kind, upstreamStatus, operatorNote }, 'not woken')
        throw thrown
      }
      log.info({ deployment: id, provider }, 'woken')
      return { provider }
    },
  }
}

/** Time for the upstream to accept the request, not for the start itself. */
const timeoutMs = 30_000

function unknownDeployment(id: string): Failure {
  const shown = id.length > 200 ? `${id.slice(0, 200)}…` : id
  const message = `No deployment is called \`${shown}\`: GET /admin/api/deployments lists them.`
  return new Failure('not_found', message, { param: 'id', code: 'deployment_not_found' })
}

function nothingToWake(id: string, provider: string): Failure {
  const message = `\`${id}\` cannot be woken: its provider \`${provider}\` cannot start deployments.`
  return new Failure('not_implemented', message, { param: 'id' })
}
