import { existsSync, readFileSync, statSync } from 'node:fs'
import {
  type Config,
  ConfigError,
  configPath,
  loadWritten,
  nearFiles,
  readEnvironment,
  type WrittenConfig,
} from '../config.ts'
import { providers } from '../providers/all.ts'
import type { ConfigOverrides } from './config-options.ts'

/**
 * Reads the configuration of this process from its options, its environment, `.env` and gateway.yaml. Throws
 * ConfigError.
 */
export function readConfig(overrides: ConfigOverrides = {}): Config {
  return openConfig(overrides).read()
}

/** Reads the configuration again on a reload. Options, environment and `.env` remain those of the start. */
export interface ConfigReader {
  /** Reads the file, and the files of secrets and certificates that it names. Throws ConfigError. */
  read(): Config
  /** The same, with its source text. */
  readWritten(): WrittenConfig
  /** The content of each file when it was last read, by path; undefined if it could not be read. */
  readonly lastTexts: ReadonlyMap<string, string | undefined>
}

export function openConfig(overrides: ConfigOverrides = {}): ConfigReader {
  const options = Object.entries(overrides).map(([name, value]) => [`--${name}`, value])
  const environment = { ...readEnvironment(process.cwd(), process.env), ...Object.fromEntries(options) }
  const path = configPath(environment)
  let texts = new Map<string, string | undefined>([[path, undefined]])
  let isFirst = true
  const reader = {
    read: () => reader.readWritten().config,
    readWritten(): WrittenConfig {
      texts = new Map([[path, undefined]])
      if (!isFirst && isSpent(path)) {
        throw new ConfigError([{ source: path, place: '', message: 'cannot be read a second time' }])
      }
      isFirst = false
      const readFile = (from: string) => {
        texts.set(from, undefined)
        const text = readFileSync(from, 'utf8')
        texts.set(from, text)
        return text
      }
      const { config, written } = loadWritten({ environment, readFile, providers })
      const near = nearFiles(environment, existsSync)
      if (near.length === 0) return { config, written }
      return { config: { ...config, warnings: [...near, ...(config.warnings ?? [])] }, written }
    },
    get lastTexts() {
      return texts
    },
  }
  return reader
}

/** True for a pipe, which can be read only once and is then empty. */
function isSpent(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === false
}
