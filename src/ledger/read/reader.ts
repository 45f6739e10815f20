import type { StoreAddress } from '../store/all.ts'
import type { Store } from '../store/store.ts'
import { createQueryThread } from '../thread/query-thread.ts'
import type { Question } from './messages.ts'
import { type PackedUsage, unpackUsage } from './packed-usage.ts'

/** Reads the store in its own thread, so that no report delays a call. Rejects if the store cannot answer. */
export interface LedgerReader
  extends Pick<Store, 'usage' | 'calls' | 'counts' | 'call' | 'changes'>,
    AsyncDisposable {}

/** The thread starts with the first query. Each waits for `ready`. */
export function createReader(address: StoreAddress, ready: () => Promise<void>): LedgerReader {
  const thread = createQueryThread('ledger reader', new URL('./reader-worker.ts', import.meta.url), address)
  const ask = async (question: Question) => {
    await ready()
    return await thread.ask(question)
  }
  return {
    usage: async (about) => unpackUsage((await ask({ what: 'usage', about })) as PackedUsage),
    calls: (about) => ask({ what: 'calls', about }) as ReturnType<Store['calls']>,
    counts: (about) => ask({ what: 'counts', about }) as ReturnType<Store['counts']>,
    call: (about) => ask({ what: 'call', about }) as ReturnType<Store['call']>,
    changes: () => ask({ what: 'changes' }) as ReturnType<Store['changes']>,
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  }
}
