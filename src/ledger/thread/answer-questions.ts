import { parentPort } from 'node:worker_threads'
import type { ThreadAnswer, ThreadQuestion } from './query-thread.ts'

/** In the thread: answers each question, or tells why there is no answer. After that, `open` is called again. */
export function answerQuestions<Opened extends AsyncDisposable>(
  open: () => Promise<Opened>,
  answer: (opened: Opened, question: unknown) => Promise<unknown>,
): void {
  let opened: Promise<Opened> | undefined
  parentPort?.on('message', ({ id, question }: ThreadQuestion) => {
    opened ??= open()
    const asked = opened
    asked
      .then((one) => answer(one, question))
      .then(
        (found) => tell({ id, answer: found }),
        (thrown: unknown) => {
          tell({ id, reason: thrown instanceof Error ? thrown.message : 'unknown' })
          // The next question tries another connection.
          if (opened === asked) opened = undefined
          asked.then((one) => one[Symbol.asyncDispose]()).catch(() => undefined)
        },
      )
  })
}

function tell(answered: ThreadAnswer): void {
  parentPort?.postMessage(answered)
}
