import { workerData } from 'node:worker_threads'
import { openStore, type StoreAddress } from '../store/all.ts'
import type { Store } from '../store/store.ts'
import { answerQuestions } from '../thread/answer-questions.ts'
import type { Question } from './messages.ts'
import { packUsage } from './packed-usage.ts'

// The thread that reads the store.
answerQuestions(open, (store, question) => answer(store, question as Question))

/** The first connection creates the schema. */
async function open(): Promise<Store> {
  const store = openStore(workerData as StoreAddress)
  await store.migrate()
  return store
}

function answer(store: Store, question: Question): Promise<unknown> {
  switch (question.what) {
    case 'usage':
      return store.usage(question.about).then(packUsage)
    case 'calls':
      return store.calls(question.about)
    case 'counts':
      return store.counts(question.about)
    case 'call':
      return store.call(question.about)
    case 'changes':
      return store.changes()
  }
}
