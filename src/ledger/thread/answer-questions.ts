import { parentPort } from 'node:worker_threads'
import type { ThreadAnswer, ThreadQuestion } from './query-thread.ts'

/**
 * Runs in the thread: answers each question, or reports why it cannot. After a failure, `open` is called again for the
 * next question.
 */
export function answerQuestions<Opened extends AsyncDisposable>(
  open: () => Promise<Opened>,
  answer: (opened: Opened, question: unknown) => Promise<unknown>,
): void {
  let opened: Promise<Opened> | undefined
  parentPort?.on('message', ({ id, question }: ThreadQuestion) => {
    opened ??= open()
    const current = opened
    current
      .then((one) => answer(one, question))
      .then(
        (found) => post({ id, answer: found }),
        (thrown: unknown) => {
          post({ id, reason: thrown instanceof Error ? thrown.message : 'unknown' })
          // The next question tries another connection.
          if (opened === current) opened = undefined
          current.then((one) => one[Symbol.asyncDispose]()).catch(() => undefined)
        },
      )
  })
}

function post(answered: ThreadAnswer): void {
  parentPort?.postMessage(answered)
}
