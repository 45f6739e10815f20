import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Clock } from '../core/model/ports.ts'
import type { ResponseStorage } from '../core/model/response-storage.ts'
import { createLastingResponses } from '../core/reuse/lasting-responses.ts'
import { createMemoryResponses } from '../core/reuse/memory-responses.ts'
import { openStoredResponses } from '../ledger/responses/responses.ts'
import type { StoreAddress } from '../ledger/store/all.ts'

/** The store for responses beyond the life of the process. Undefined: there is none. */
export function responsesIn(
  address: StoreAddress | undefined,
  { responses: { keep, ...bounds } }: Config,
  clock: Clock,
  log: Logger,
): (ResponseStorage & AsyncDisposable) | undefined {
  if (address === undefined || keep === 'memory') return undefined
  const memory = createMemoryResponses(clock, bounds)
  const store = openStoredResponses({ address, bounds })
  const lasting = createLastingResponses({
    ...{ store, memory, clock },
    events: {
      away: (reason) => log.warn({ reason }, 'responses cannot be stored; they wait in memory'),
      back: () => log.warn('responses are stored again'),
    },
  })
  return {
    put: lasting.put,
    find: lasting.find,
    recall: lasting.recall,
    remove: lasting.remove,
    async [Symbol.asyncDispose]() {
      await lasting[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}
