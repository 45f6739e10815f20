import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { type Config, isLoopback } from '../config.ts'
import type { Clock } from '../core/model/ports.ts'
import { createMemoryState } from '../state/memory.ts'
import type { SendAlert } from '../tenants/budgets/alerts.ts'
import type { CallersPolicy } from '../tenants/keys/authenticate.ts'
import { createTenants, type Tenants } from '../tenants/tenants.ts'

/**
 * The tenants of a gateway that is one process: their money and limits are in its memory, and rebuilt from its journal.
 */
export function tenantsFor(config: Config, clock: Clock, log: Logger): Tenants {
  const state = createMemoryState(clock)
  return createTenants({
    ...{ state, money: state.money, clock },
    owner: `node-${randomBytes(8).toString('hex')}`,
    settings: config.tenants,
    policy: callersPolicyOf(config),
    send: sendBy(log),
  })
}

export function callersPolicyOf({ host, allowUnauthenticated }: Config): CallersPolicy {
  return { allowUnauthenticated, isReachable: !isLoopback(host) }
}

/** Tried once: the log has what was missed. */
function sendBy(log: Logger): SendAlert {
  return (alert, post) => {
    log.warn({ alert }, 'a part of a budget is used')
    if (post === undefined) return
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    if (post.signature !== undefined) headers['x-pandotate-signature'] = `sha256=${post.signature}`
    fetch(post.url, { method: 'POST', body: post.body, headers, signal: AbortSignal.timeout(postMs) })
      .then(async (response) => {
        await response.body?.cancel()
        if (!response.ok) log.warn({ status: response.status }, 'the webhook of alerts refused one')
      })
      .catch((err: unknown) => log.warn({ err }, 'the webhook of alerts cannot be reached'))
  }
}

const postMs = 10_000
