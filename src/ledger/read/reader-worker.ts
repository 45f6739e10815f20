import { parentPort, workerData } from 'node:worker_threads'
import { openStore, type StoreAddress } from '../store/all.ts'
import type { Store } from '../store/store.ts'
import type { Answered, Asked, Question } from './messages.ts'

// The thread that reads the store: each question has its answer, or the reason why there is none.
let opened: Promise<Store> | undefined
parentPort?.on('message', ({ id, question }: Asked) => {
  opened ??= open()
  const asked = opened
  asked
    .then((store) => answer(store, question))
    .then(
      (found) => tell({ id, answer: found }),
      (thrown: unknown) => {
        tell({ id, reason: thrown instanceof Error ? thrown.message : 'unknown' })
        // The next question tries another connection.
        if (opened === asked) opened = undefined
        asked.then((store) => store[Symbol.asyncDispose]()).catch(() => undefined)
      },
    )
})

/** The first to come makes the schema. */
async function open(): Promise<Store> {
  const store = openStore(workerData as StoreAddress)
  await store.migrate()
  return store
}

function answer(store: Store, question: Question): Promise<unknown> {
  switch (question.what) {
    case 'usage':
      return store.usage(question.about)
    case 'calls':
      return store.calls(question.about)
    case 'reach':
      return store.reach(question.about)
    case 'counts':
      return store.counts(question.about)
    case 'call':
      return store.call(question.about)
  }
}

function tell(answered: Answered): void {
  parentPort?.postMessage(answered)
}
