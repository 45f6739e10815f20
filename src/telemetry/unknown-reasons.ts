import type { Logger } from 'pino'
import type { Sink } from '../core/model/ports.ts'

/**
 * Warns of a finish reason that is not known: once for each provider and reason, so that it finds its way into the
 * table
 * of those that are, and does not fill the log until it has.
 */
export function createReasonWarnings(log: Logger): Sink {
  const told = new Set<string>()
  return {
    write({ attempts }) {
      for (const { provider, deployment, unknownReason } of attempts) {
        if (unknownReason === undefined || told.size >= mostTold) continue
        const reason = plain(unknownReason)
        const key = `${provider}: ${reason}`
        if (told.has(key)) continue
        told.add(key)
        log.warn({ provider, deployment, reason }, 'an upstream gave a finish reason that is not known')
      }
    },
  }
}

/** An upstream may make up a new one each time. */
const mostTold = 256

/** An upstream's word is its own: what is not like a name is left out of the log. */
function plain(reason: string): string {
  return reason.replace(/[^\w.:-]/g, '_')
}
