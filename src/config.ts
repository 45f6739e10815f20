import type * as z from 'zod'
import { readAs } from './config/coerce.ts'
import { exposureOf, isExposed, isLoopback } from './config/report/exposure.ts'
import { findingsOf, withoutWording } from './config/report/issues.ts'
import {
  type EffectiveSetting,
  effectiveSettings,
  type Origin,
  type OriginParts,
  type Origins,
  originOf,
} from './config/report/origins.ts'
import { ConfigError, commandLine, type Finding, type Problem, placeOf } from './config/report/problem.ts'
import { describeConfig, type WrittenConfig } from './config/report/report.ts'
import type { CurrentPrices } from './config/report/route-report.ts'
import { type ConfigSchema, configSchema } from './config/schema.ts'
import { catalogFileName, type OpenedCatalog, openCatalog } from './config/sections/catalog.ts'
import { findInstances, type Instance } from './config/sections/instances.ts'
import { defaultRoutes, demoRoutes, routesOf } from './config/sections/routing.ts'
import { readTls } from './config/sections/tls.ts'
import type { Config } from './config/settings.ts'
import { inputShape } from './config/shape.ts'
import { defaultDataDirectory } from './config/source/data-directory.ts'
import { applyEnvironment, type Overlaid } from './config/source/env-overrides.ts'
import { isOption, readEnvironment } from './config/source/environment.ts'
import { withSecretFiles } from './config/source/secret-files.ts'
import { type ConfigSource, configPath, defaultPath, openSource } from './config/source/source.ts'
import type { Environment } from './config/source/substitution.ts'
import { tenancyOf } from './config/tenancy.ts'
import { nearFiles, warningsOf } from './config/warnings.ts'
import { isObject } from './core/model/json/json.ts'
import type { Provider } from './providers/base/provider.ts'

export type ConfigParts = {
  readonly environment: Environment
  /** The text of a file. Throws as `node:fs` does. */
  readonly readFile: (path: string) => string
  readonly providers: readonly Provider[]
}

/**
 * The configuration from the environment and the file; an option overrides the environment, which overrides the file.
 * Throws ConfigError with all mistakes at once.
 */
export function loadConfig(parts: ConfigParts): Config {
  return loadWritten(parts).config
}

/** The same, with its source text. */
export function loadWritten({ environment: given, readFile, providers }: ConfigParts): WrittenConfig {
  const secrets = withSecretFiles(given, readFile)
  const { environment } = secrets
  const source = openSource(environment, readFile)
  const overlaid = applyEnvironment(
    source.content ?? {},
    environment,
    new Set(providers.map(({ type }) => type)),
  )
  const sections = overlaid.content
  const instances = findInstances(isObject(sections) ? sections['providers'] : undefined, providers)
  const catalog = openCatalog(sections, readFile)
  const schema = configSchema(instances.known, instances.names, catalog.data)
  const shape = inputShape(schema)
  const tree = readAs(shape, isObject(sections) ? { ...sections, providers: instances.settings } : sections)
  const result = schema.safeParse(tree, withoutWording)
  const refused = findingsOf(result.error?.issues ?? [], shape, (path) => {
    const variable = overlaid.origins.get(placeOf(path))
    return variable && { text: environment[variable.name] ?? '', expected: variable.expected }
  })
  const tls = readTls(result.data?.server.tls, readFile)
  const isToldExposed = source.problems.length === 0 && isObject(tree)
  const exposed = isToldExposed ? exposureOf(schema.shape, tree) : []
  const problems = [
    ...source.problems,
    ...secrets.problems,
    ...catalog.problems,
    // Mistakes in the text belong to the file, even if the environment overrides the value.
    ...[...source.findings, ...instances.findings].map((finding) => located(finding, source, undefined)),
    ...[...refused, ...exposed, ...tls.findings, ...catalog.findings].map((finding) =>
      located(finding, source, overlaid),
    ),
  ]
  if (problems.length > 0 || !result.success)
    throw new ConfigError(withoutRepeats(withoutFollowers(problems)))
  const origins = { source, overlaid, shape, written: tree, taken: result.data }
  const parts = { environment, source, instances: instances.known, catalog, tls: tls.pair, origins }
  return { config: assembled(result.data, parts), written: { tree, shape } }
}

export type { Config, CurrentPrices, EffectiveSetting, Finding, Origin, Origins, Problem, WrittenConfig }
// Further exports of `src/config`: other folders import only this file.
export {
  ConfigError,
  catalogFileName,
  configPath,
  describeConfig,
  isExposed,
  isLoopback,
  nearFiles,
  placeOf,
  readEnvironment,
}

type Parts = {
  readonly environment: Environment
  readonly source: ConfigSource
  readonly instances: readonly Instance[]
  readonly catalog: OpenedCatalog
  readonly tls: Config['tls']
  readonly origins: OriginParts
}

/** The settings in the form that the rest of the gateway uses. */
function assembled(
  taken: z.output<ConfigSchema>,
  { environment, source, instances, catalog, tls, origins }: Parts,
): Config {
  const {
    server: listening,
    auth,
    teams,
    budgets,
    rateLimits,
    alerts,
    log,
    models,
    providers: settings,
    drain,
    dataDirectory,
    routes: others,
    ...rest
  } = taken
  const isConfigured =
    source.path !== undefined || Boolean(environment['PANDOTATE_API_KEY'] || environment['PANDOTATE_URL'])
  const routes =
    routesOf(models) ?? defaultRoutes(catalog.data, keyedProviders(instances, settings), isConfigured)
  const { tls: _paths, ...server } = listening
  const made = providerSettings(instances, settings)
  const { content, path } = source
  const tenancy = tenancyOf({ auth, teams, budgets, rateLimits, alerts })
  const warnings = warningsOf({ content, path, environment, routes, providers: made })
  return {
    ...server,
    ...(tls === undefined ? {} : { tls }),
    ...rest,
    ...tenancy,
    dataDirectory: dataDirectory ?? defaultDataDirectory,
    isDataDirectoryGiven: dataDirectory !== undefined,
    drain: { delayMs: isLoopback(server.host) ? 0 : noticeMs, ...drain },
    logLevel: log.level,
    ...(log.format === undefined ? {} : { logFormat: log.format }),
    providers: made,
    ...(warnings.length === 0 ? {} : { warnings }),
    catalog: { ...rest.catalog, data: catalog.data, file: catalog.file },
    ...{ routes, demo: routes === demoRoutes },
    routing: routingOf(models === undefined, others),
    stated: statedIn(source.content),
    source: source.path,
    origins: {
      settings: effectiveSettings({
        ...origins,
        taken: { ...taken, dataDirectory: dataDirectory ?? defaultDataDirectory },
      }),
      declared: declaredIn(tenancy.tenants, auth, origins),
    },
  }
}

/** Keys in the order of their sections, as in `tenancyOf`. */
function declaredIn(
  { keys, teams }: Config['tenants'],
  { keys: callers, adminKeys }: z.output<ConfigSchema>['auth'],
  origins: OriginParts,
): Origins['declared'] {
  const pathOf = (index: number) => {
    if (index < callers.length) return ['auth', 'keys', index]
    const at = index - callers.length
    return at < adminKeys.length ? ['auth', 'adminKeys', at] : ['auth', 'adminKey']
  }
  return Object.fromEntries([
    ...keys.map(({ id }, index) => [`key:${id}`, originOf(pathOf(index), origins)]),
    ...teams.map(({ id }) => [`team:${id}`, originOf(['teams', id], origins)]),
  ])
}

/** Without the operator's own routes, models in providers' lists are routed too. */
function routingOf(isDefault: boolean, written: Partial<Config['routing']> & { successors: boolean }) {
  return { isDefault, listed: isDefault, ...written }
}

function providerSettings(
  instances: readonly Instance[],
  settings: Readonly<Record<string, unknown>>,
): Config['providers'] {
  return instances.map(({ name, provider }) => ({ name, type: provider.type, settings: settings[name] }))
}

function statedIn(content: unknown): readonly string[] {
  if (!isObject(content)) return []
  return Object.entries(content).flatMap(([section, settings]) => {
    if (settings === null || settings === undefined) return []
    const names = isObject(settings) ? Object.keys(settings) : []
    return [section, ...names.map((name) => `${section}.${name}`)]
  })
}

/** The delay in which load balancers notice a drain. A loopback address has none in front. */
const noticeMs = 5000

/** Providers named by their type or preset, as the default routes name them, with a key. */
function keyedProviders(
  instances: readonly Instance[],
  settings: Readonly<Record<string, unknown>>,
): ReadonlySet<string> {
  const keyed = instances.filter(({ name, provider }) => {
    const own = settings[name]
    if (name === 'pandotate' || !isObject(own)) return false
    // The shipped list does not apply to an operator's own server.
    const list = provider.priceList === undefined ? provider.type : provider.priceList(own)
    return (name === list || (name === provider.type && list !== undefined)) && own['apiKey'] !== undefined
  })
  return new Set(keyed.map(({ name }) => name))
}

function located({ path, message }: Finding, source: ConfigSource, overlaid: Overlaid | undefined): Problem {
  const place = placeOf(path)
  const variable = overlaid?.origins.get(place)
  if (variable !== undefined) {
    return { source: isOption(variable.name) ? commandLine : 'environment', place: variable.name, message }
  }
  return { source: source.path ?? defaultPath, line: source.lineOf(path), place, message }
}

/** Removes consequences of a misspelt `providers`, which makes every deployment's provider unknown. */
function withoutFollowers(problems: readonly Problem[]): readonly Problem[] {
  const isMisspelt = problems.some(
    ({ place, message }) => !place.includes('.') && message.includes('did you mean providers'),
  )
  return isMisspelt ? problems.filter(({ place }) => !/^models\W.*\.provider$/.test(place)) : problems
}

/** Keeps only the first message about a place, which names the cause. */
function withoutRepeats(problems: readonly Problem[]): readonly Problem[] {
  const places = new Map<string, Problem>()
  for (const problem of problems) {
    const place = JSON.stringify([problem.source, problem.place, problem.place === '' ? problem.message : ''])
    if (!places.has(place)) places.set(place, problem)
  }
  return [...places.values()]
}
