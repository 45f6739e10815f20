import { describeConfig } from '../config.ts'
import { providers } from '../providers/all.ts'
import type { Command } from './command.ts'
import { readConfig } from './read-config.ts'

/** Reads the configuration and prints what it comes to; a fault in it is reported and exits with 1. */
export const check: Command = async () => {
  process.stdout.write(`${describeConfig(readConfig(), providers)}\n`)
  return 0
}
