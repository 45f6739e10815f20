import { createInterface } from 'node:readline'

/** Asks a person in the terminal. */
export type Ask = (question: string, byDefault: string) => Promise<string>

/** Asks on standard error, so that what is printed on standard output can be kept; where nobody is there, takes the default. */
export async function withQuestions<T>(isAsking: boolean, use: (ask: Ask) => Promise<T>): Promise<T> {
  if (!isAsking) return await use(async (_question, byDefault) => byDefault)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  terminal.on('SIGINT', () => process.exit(130))
  // Lines that are typed ahead wait here for their question.
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
