import type { PackedResponse, RecalledResponses, ResponseStorage } from '../../core/model/response-storage.ts'
import { createQueryThread } from '../thread/query-thread.ts'
import type { ResponsesData, ResponsesQuestion } from './messages.ts'

/** Responses in the store, through their own thread. Rejects if the store is unavailable. */
export function openStoredResponses(data: ResponsesData): ResponseStorage & AsyncDisposable {
  const thread = createQueryThread(
    'ledger responses',
    new URL('./responses-worker.ts', import.meta.url),
    data,
  )
  const ask = (question: ResponsesQuestion) => thread.ask(question)
  return {
    put: (tenant, response) => ask({ what: 'put', tenant, response }) as Promise<void>,
    find: (tenant, id) => ask({ what: 'find', tenant, id }) as Promise<PackedResponse | undefined>,
    recall: (tenant, wanted) => ask({ what: 'recall', tenant, wanted }) as Promise<RecalledResponses>,
    remove: (tenant, id) => ask({ what: 'remove', tenant, id }) as Promise<boolean>,
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  }
}
