import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { defineCommand } from '../command.ts'
import { createSavingsReport } from './savings-report.ts'

export const savings = defineCommand({
  name: 'savings',
  does: 'recompute spending and savings from a log',
  about: 'Exits with 1 if a line of the log differs from what was recomputed.',
  operands: [{ name: 'FILE', does: 'the log; - or nothing reads standard input', isOptional: true }],
  options: {},
  run: ({ operands: [path = '-'] }) => recomputeSavings(path),
})

/** Exits with 1 if a line differs, with 2 if there is nothing to read. */
async function recomputeSavings(path: string): Promise<number> {
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
