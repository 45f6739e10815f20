import type { Logger } from 'pino'
import type { Steps } from '../core/model/steps.ts'
import { bodyShape } from './body-shape.ts'

/**
 * At `debug`, a line for each step of a call, at the moment it is taken; at `trace`, the names and lengths of its bodies,
 * too. At any other level it costs one look at the level a call.
 */
export function createStepLog(log: Logger): Steps {
  return {
    open(requestId) {
      if (!log.isLevelEnabled('debug')) return undefined
      return {
        tell: (step, detail) => log.debug({ requestId, ...detail }, step),
        shape(of, body) {
          if (log.isLevelEnabled('trace')) log.trace({ requestId, shape: bodyShape(body) }, of)
        },
      }
    },
  }
}
