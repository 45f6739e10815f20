import { defineCommand } from '../command.ts'
import { untilSignalled } from '../signals.ts'
import { openSimulation } from './simulation.ts'
import { askedSimulation, simulatedNames, simulationOptions } from './simulation-options.ts'

/** Serves an upstream's own wire format until it is interrupted. */
export const simulate = defineCommand({
  name: 'simulate',
  does: "simulate an upstream's wire format on this machine, for tests and demos",
  about:
    "No model is run: the model's name selects the answer: sim-echo, sim-slow-2000, sim-cut-5.\n" +
    'GET /bill shows what it would have charged.',
  operands: [{ name: 'NAME', does: 'the upstream', of: simulatedNames }],
  options: simulationOptions,
  async run({ operands, options }) {
    const name = simulatedNames.find((one) => one === operands[0]) ?? 'pandotate'
    await using server = await openSimulation(askedSimulation(name, options))
    process.stdout.write(server.told)
    await untilSignalled()
    return 0
  },
})
