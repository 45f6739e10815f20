import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { type Config, ConfigError, isExposed, type Origins, type Problem } from '../../config.ts'
import type { Clock } from '../../core/model/ports.ts'
import { createReloadGuard } from './reload-guard.ts'

/** Replaces the configuration in use with another. */
export interface Reload {
  /**
   * Applies what `read` returns. If it cannot be read or is invalid, nothing changes and the log says why. Settings
   * that need a restart keep their values, and the log says so.
   */
  run(read: () => Config): void
  report(): ConfigurationReport
}

/** The state of the configuration, for operators. */
export type ConfigurationReport = {
  /** The time at which the configuration in use was applied. */
  readonly loadedEpochMs: number
  /** True if the last one was refused, so that the one in use is older than the file. */
  readonly isRefused: boolean
  /** The numbers of applied configurations after the first, and of refused ones. */
  readonly taken: number
  readonly refused: number
  /** The last refused one, if no later one was applied. */
  readonly refusal: Refusal | undefined
  /** The source of each setting in use. Undefined: a program supplied the configuration. */
  readonly origins: Origins | undefined
}

/** A configuration that was refused, and all of its problems. Contains no secrets. */
export type Refusal = { readonly atEpochMs: number; readonly problems: readonly Problem[] }

export type ReloadParts = {
  /** The configuration that the process started with. */
  readonly first: Config
  readonly current: () => Config
  /** Throws if it cannot be used. Resolves once every process has applied it. Undefined: there is only one process. */
  readonly take: (config: Config) => Promise<void> | undefined
  readonly clock: Clock
  readonly log: Logger
}

export function createReload({ first, current, take, clock, log }: ReloadParts): Reload {
  const guard = createReloadGuard(first)
  const report = { loadedEpochMs: clock.epochMs(), taken: 0, refused: 0 }
  let refusal: Refusal | undefined
  let origins = first.origins
  return {
    run(read) {
      try {
        const config = inPlace(read(), current(), log)
        guard.check(config, current())
        refusal = undefined
        // Lines may have moved even if nothing else changed.
        origins = config.origins
        if (isDeepStrictEqual(withoutOrigins(config), withoutOrigins(current()))) {
          log.info({ source: config.source }, 'the configuration has not changed')
          return
        }
        const taking = take(config)
        report.taken++
        report.loadedEpochMs = clock.epochMs()
        const tell = () => log.info({ source: config.source }, 'the configuration was applied')
        if (taking === undefined) tell()
        else void taking.then(tell)
      } catch (thrown) {
        report.refused++
        refusal = { atEpochMs: clock.epochMs(), problems: problemsIn(thrown) }
        log.error(reasonOf(thrown), 'the configuration was refused; the last valid one stays in use')
      }
    },
    report: () => ({ ...report, isRefused: refusal !== undefined, refusal, origins }),
  }
}

function withoutOrigins({ origins: _, ...config }: Config): Config {
  return config
}

function problemsIn(thrown: unknown): readonly Problem[] {
  if (thrown instanceof ConfigError) return thrown.problems
  return [{ source: 'gateway', place: '', message: 'could not apply it: see the log' }]
}

/** The part of a configuration that a running gateway can apply. */
function inPlace(config: Config, inUse: Config, log: Logger): Config {
  const { host, port, workers, tls, source, tracing, responses } = inUse
  if (config.source === undefined && source !== undefined) {
    const message = 'is gone, expected the file that the gateway was started with'
    throw new ConfigError([{ source, place: '', message }])
  }
  const { tls: offered, ...rest } = config
  const pair = tls && (offered ?? tls)
  const placed = {
    ...rest,
    host,
    port,
    workers,
    tracing,
    responses,
    ...(pair === undefined ? {} : { tls: pair }),
  }
  if (isExposed(placed)) {
    const message = `found no keys in auth.keys, expected some: the gateway listens on ${host} until it is restarted`
    throw new ConfigError([{ source: config.source ?? 'environment', place: 'server.host', message }])
  }
  if (config.host !== host) warn(log, 'server.host', host, config.host)
  if (config.port !== port) warn(log, 'server.port', port, config.port)
  if (config.workers !== workers) warn(log, 'server.workers', workers, config.workers)
  if ((offered === undefined) !== (tls === undefined)) warn(log, 'server.tls', onOff(tls), onOff(offered))
  if (!isDeepStrictEqual(config.tracing, tracing)) {
    log.warn({ setting: 'tracing' }, 'this setting needs a restart: the rest is applied')
  }
  for (const name of ['keep', 'ttlMs', 'maxEntries', 'maxBytes'] as const) {
    const [kept, wanted] = [responses[name], config.responses[name]]
    if (kept !== wanted) warn(log, `responses.${name}`, kept, wanted)
  }
  return placed
}

function onOff(setting: unknown): string {
  return setting === undefined ? 'off' : 'on'
}

function warn(log: Logger, setting: string, inUse: string | number, wanted: string | number): void {
  log.warn({ setting, inUse, wanted }, 'this setting needs a restart: the rest is applied')
}

function reasonOf(thrown: unknown): object {
  return thrown instanceof ConfigError ? { problems: thrown.lines } : { err: thrown }
}
