import { parseArgs } from 'node:util'
import { simulatePandotate } from '../simulator/pandotate.ts'
import type { Command } from './command.ts'
import { helpText } from './help.ts'
import { untilSignalled } from './signals.ts'

/** Serves an upstream's own wire format until it is interrupted. */
export const simulate: Command = async (words) => {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: { port: { type: 'string', default: '9000' }, key: { type: 'string' } },
  })
  const port = Number(values.port)
  if (positionals.length !== 1 || positionals[0] !== 'pandotate' || !isPort(port)) {
    process.stderr.write(helpText)
    return 2
  }
  const key = values.key === undefined ? {} : { key: values.key }
  await using server = await simulatePandotate({ host: '127.0.0.1', port, ...key })
  process.stdout.write(
    `A simulated Pandotate answers at ${server.url}\n` +
      `Point a gateway at it: PANDOTATE_URL=${server.url} npm start\n`,
  )
  await untilSignalled()
  return 0
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535
}
