import type { Command } from './command.ts'
import { untilSignalled } from './signals.ts'
import { openSimulation } from './simulation.ts'
import { readSimulation, simulateHelp } from './simulation-options.ts'

/** Serves an upstream's own wire format until it is interrupted. */
export const simulate: Command = async (words) => {
  const read = readSimulation(words)
  switch (read.type) {
    case 'help':
      process.stdout.write(simulateHelp)
      return 0
    case 'fault':
      process.stderr.write(`${read.fault}\n\n${simulateHelp}`)
      return 2
    case 'simulation': {
      await using server = await openSimulation(read.asked)
      process.stdout.write(server.told)
      await untilSignalled()
      return 0
    }
  }
}
