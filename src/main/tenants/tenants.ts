import type { Logger } from 'pino'
import { type Config, ConfigError, isLoopback } from '../../config.ts'
import { Failure } from '../../core/model/failure.ts'
import type { Clock } from '../../core/model/ports.ts'
import type { SendAlert } from '../../tenants/budgets/alerts.ts'
import type { CallersPolicy } from '../../tenants/keys/authenticate.ts'
import { createTenants, type Tenants, type TenantsParts } from '../../tenants/tenants.ts'
import type { Shared } from '../shared.ts'

/** The tenants of a gateway; their money and limits are shared between its processes. */
export function tenantsFor(
  config: Config,
  clock: Clock,
  shared: Pick<Shared, 'state' | 'money' | 'owner'>,
  tells: Pick<TenantsParts, 'send' | 'used'>,
): Tenants {
  const { state, money, owner } = shared
  return createTenants({
    ...{ state, money, owner, clock },
    settings: config.tenants,
    policy: callersPolicyOf(config),
    ...tells,
  })
}

export function callersPolicyOf({ host, allowUnauthenticated }: Config): CallersPolicy {
  return { allowUnauthenticated, isReachable: !isLoopback(host) }
}

/** Throws ConfigError for a key or team of the file that was also created by the API. */
export function refuseDeclaredTwice(config: Config, tenants: Tenants): void {
  try {
    tenants.configure(config.tenants, callersPolicyOf(config))
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    const message = `${thrown.message} Give it another name or secret in the file.`
    throw new ConfigError([{ source: config.source ?? 'environment', place: 'auth.keys', message }])
  }
}

/** Tried once: the log has the alert if it fails. */
export function alertsBy(log: Logger): SendAlert {
  return (alert, post) => {
    log.warn({ alert }, 'a part of a budget is used')
    if (post === undefined) return
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    if (post.signature !== undefined) headers['x-pandotate-signature'] = `sha256=${post.signature}`
    fetch(post.url, { method: 'POST', body: post.body, headers, signal: AbortSignal.timeout(postMs) })
      .then(async (response) => {
        await response.body?.cancel()
        if (!response.ok) log.warn({ status: response.status }, 'the alert webhook refused an alert')
      })
      .catch((err: unknown) => log.warn({ err }, 'the alert webhook cannot be reached'))
  }
}

const postMs = 10_000
