import { parentPort, workerData } from 'node:worker_threads'
import { openStore, type StoreAddress } from '../store/all.ts'
import type { Answered, Asked } from './messages.ts'

// The thread that reads the store: one question after the other, each with its answer or the reason why there is none.
const store = openStore(workerData as StoreAddress)
parentPort?.on('message', ({ id, question }: Asked) => {
  const answering =
    question.what === 'usage'
      ? store.usage(question.about)
      : question.what === 'calls'
        ? store.calls(question.about)
        : store.call(question.about)
  answering.then(
    (answer) => tell({ id, answer }),
    (thrown: unknown) => tell({ id, reason: thrown instanceof Error ? thrown.message : 'unknown' }),
  )
})

function tell(answered: Answered): void {
  parentPort?.postMessage(answered)
}
