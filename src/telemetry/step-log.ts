import type { Logger } from 'pino'
import type { Steps } from '../core/model/steps.ts'
import { bodyShape } from './body-shape.ts'

/**
 * At `debug`, writes a line for each step of a call as it is taken; at `trace`, also the names and lengths in its
 * bodies. At other levels it costs one check per call.
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
