import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { Command } from './command.ts'
import { helpText } from './help.ts'
import { createSavingsReport } from './savings-report.ts'

/**
 * Recomputes what was spent and saved from a log, a file or standard input, and prints it. Exits with 1 when a line
 * says something else, with 2 when there is nothing to read.
 */
export const savings: Command = async (words) => {
  const { positionals } = parseArgs({ args: [...words], allowPositionals: true, options: {} })
  const [path = '-', ...others] = positionals
  if (others.length > 0) {
    process.stderr.write(helpText)
    return 2
  }
  const input = path === '-' ? process.stdin : createReadStream(path)
  const report = createSavingsReport()
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) report.add(line)
  } catch (thrown) {
    if (!(thrown instanceof Error) || !('syscall' in thrown)) throw thrown
    process.stderr.write(`Cannot read the log: ${thrown.message}\n`)
    return 2
  }
  process.stdout.write(report.text())
  return report.disagreements.length === 0 ? 0 : 1
}
