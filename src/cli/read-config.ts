import { readFileSync } from 'node:fs'
import { type Config, loadConfig, readEnvironment } from '../config.ts'
import { providers } from '../providers/all.ts'

/** The configuration of this process: its environment, `.env`, and gateway.yaml. Throws ConfigError. */
export function readConfig(): Config {
  return loadConfig({
    environment: readEnvironment(process.cwd(), process.env),
    readFile: (path) => readFileSync(path, 'utf8'),
    providers,
  })
}
