import type { Logger } from 'pino'
import type { Sink } from '../core/model/ports.ts'

/**
 * Warns of an unknown finish reason, once per provider and reason, so that it can be added to the table without filling
 * the log.
 */
export function createReasonWarnings(log: Logger): Sink {
  const warned = new Set<string>()
  return {
    write({ attempts }) {
      for (const { provider, deployment, unknownReason } of attempts) {
        if (unknownReason === undefined || warned.size >= mostWarnings) continue
        const reason = plain(unknownReason)
        const key = `${provider}: ${reason}`
        if (warned.has(key)) continue
        warned.add(key)
        log.warn({ provider, deployment, reason }, 'an upstream gave an unknown finish reason')
      }
    },
  }
}

/** An upstream may invent a new one each time. */
const mostWarnings = 256

/** The reason is the upstream's text: if it does not look like a name, it is not logged. */
function plain(reason: string): string {
  return reason.replace(/[^\w.:-]/g, '_')
}
