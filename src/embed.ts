import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'
import { type Config, ConfigError, loadConfig } from './config.ts'
import type { Sink } from './core/model/ports.ts'
import type { CallRecord } from './core/model/record/record.ts'
import { type RunningGateway, startGateway as start } from './main.ts'
import { providers } from './providers/all.ts'
import { createLog } from './telemetry/log.ts'

/** The environment of a gateway that runs inside another program. Only files named here are read. */
export type EmbeddedSettings = {
  /** Like environment variables: `PORT`, `TOGETHER_API_KEY`. They override the text. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** The content of a gateway.yaml. */
  readonly yaml?: string | undefined
}

export type EmbeddingOptions = {
  /** The log. Default: lines of JSON on standard output, at the configured level. */
  readonly log?: Logger
  /** Sinks for the record of every call. */
  readonly sinks?: readonly Sink[]
}

/** A validated configuration. Throws ConfigError, whose message lists all mistakes. */
export function readConfig({ environment = {}, yaml }: EmbeddedSettings): Config {
  const readFile = (path: string) => {
    if (path !== 'gateway.yaml') return readFileSync(path, 'utf8')
    if (yaml === undefined) throw Object.assign(new Error('There is no gateway.yaml.'), { code: 'ENOENT' })
    return yaml
  }
  return loadConfig({ environment: { ...environment, GATEWAY_CONFIG: undefined }, readFile, providers })
}

/** Starts a gateway in this process. Rejects if the address is not available. */
export function startGateway(config: Config, options: EmbeddingOptions = {}): Promise<RunningGateway> {
  const { log = createLog(config.logLevel, process.stdout), sinks = [] } = options
  return start(config, { log, sinks, version: versionOf() })
}

export { type CallRecord, type Config, ConfigError, type RunningGateway, type Sink }

function versionOf(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
