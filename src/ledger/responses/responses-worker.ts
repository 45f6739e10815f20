import { workerData } from 'node:worker_threads'
import { openResponseTable, openStore } from '../store/all.ts'
import type { ResponseTable } from '../store/responses.ts'
import { answerQuestions } from '../thread/answer-questions.ts'
import type { ResponsesData, ResponsesQuestion } from './messages.ts'

// The thread that keeps responses in the store. Its queries run one at a time, because they share a connection.
const { address, bounds } = workerData as ResponsesData
let before: Promise<unknown> = Promise.resolve()
answerQuestions(open, (table, question) => {
  const answering = before.then(() => answer(table, question as ResponsesQuestion))
  before = answering.catch(() => undefined)
  return answering
})

/** The first connection creates the schema. */
async function open(): Promise<ResponseTable> {
  const store = openStore(address)
  await store.migrate()
  await store[Symbol.asyncDispose]()
  return openResponseTable(address, bounds)
}

function answer(table: ResponseTable, question: ResponsesQuestion): Promise<unknown> {
  const { what, tenant } = question
  if (what === 'put') return table.put(tenant, question.response)
  if (what === 'recall') return table.recall(tenant, question.wanted)
  return what === 'find' ? table.find(tenant, question.id) : table.remove(tenant, question.id)
}
