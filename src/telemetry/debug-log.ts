import type { Logger } from 'pino'
import type { Sink } from '../core/model/ports.ts'
import { attemptFields } from '../core/model/record/fields/attempt-fields.ts'
import { writerOf } from '../core/model/record/fields/field.ts'

/**
 * At `debug`, what a call went through, a line for each step: its plan, then every attempt with its beginning, its end and
 * the wait before it, all counted from the call's beginning. Written when the call is over; never a body.
 */
export function createDebugLog(log: Logger): Sink {
  return {
    write({ id: requestId, plan, passedOver, attempts, backoffMs }) {
      if (!log.isLevelEnabled('debug')) return
      if (plan !== undefined) log.debug({ requestId, ...plan, passedOver }, 'plan')
      let endedMs = 0
      for (const [index, attempt] of attempts.entries()) {
        const waitedMs = Math.round(Math.max(0, attempt.startMs - endedMs) * 100) / 100
        endedMs = attempt.startMs + attempt.totalMs
        const told = JSON.parse(`{${attemptLine(attempt)}}`) as object
        log.debug({ requestId, attempt: index, waitedMs, ...told }, 'attempt')
      }
      if (backoffMs > 0) log.debug({ requestId, backoffMs }, 'waited between attempts')
    },
  }
}

const attemptLine = writerOf(attemptFields)
