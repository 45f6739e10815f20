import { createInterface } from 'node:readline'

/** Asks a person in the terminal. */
export type Ask = (question: string, byDefault: string) => Promise<string>

/** Asks on standard error, so that standard output can be redirected; takes the default if it is not interactive. */
export async function withQuestions<T>(isAsking: boolean, use: (ask: Ask) => Promise<T>): Promise<T> {
  if (!isAsking) return await use(async (_question, byDefault) => byDefault)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  terminal.on('SIGINT', () => process.exit(130))
  // Keeps lines that were typed before their question.
  const lines = terminal[Symbol.asyncIterator]()
  try {
    return await use(async (question, byDefault) => {
      process.stderr.write(`${question} [${byDefault}] `)
      const { value = '' } = await lines.next()
      return String(value).trim() || byDefault
    })
  } finally {
    terminal.close()
  }
}
