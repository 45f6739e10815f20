import { readFileSync, statSync } from 'node:fs'
import { type Config, ConfigError, configPath, loadConfig, readEnvironment } from '../config.ts'
import { providers } from '../providers/all.ts'

/** The configuration of this process: its environment, `.env`, and gateway.yaml. Throws ConfigError. */
export function readConfig(): Config {
  return openConfig().read()
}

/** The same, for a process that may read its file again. Its environment and `.env` are those it started with. */
export interface ConfigReader {
  /** Where the file is, or would be. */
  readonly path: string
  /** Reads the file. Throws ConfigError. */
  read(): Config
  /** What stood in the file when it was read last; undefined when it could not be. */
  lastText(): string | undefined
}

export function openConfig(): ConfigReader {
  const environment = readEnvironment(process.cwd(), process.env)
  const path = configPath(environment)
  let text: string | undefined
  let isFirst = true
  return {
    path,
    read() {
      text = undefined
      if (!isFirst && isSpent(path)) {
        throw new ConfigError([
          { source: path, place: '', told: 'is no file that can be read a second time' },
        ])
      }
      isFirst = false
      const readFile = (from: string) => (text = readFileSync(from, 'utf8'))
      return loadConfig({ environment, readFile, providers })
    },
    lastText: () => text,
  }
}

/** A pipe gives what it has once: after that it looks like an empty file. */
function isSpent(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === false
}
