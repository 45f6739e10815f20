import { X509Certificate } from 'node:crypto'
import type { AdminKey } from '../../core/authenticate.ts'
import { isObject } from '../../core/model/json/json.ts'
import type { Provider } from '../../providers/base/provider.ts'
import { socketPrefix } from '../sections/server.ts'
import type { Config, ProviderSettings } from '../settings.ts'
import { inputShape, outputShape, type Shape, shapeAt, typesOf } from '../shape.ts'
import { masked, withoutCredentials } from './error-text.ts'
import type { Path } from './problem.ts'
import { type CurrentPrices, routeHeadings, routeRows } from './route-report.ts'
import { aligned, pairs, type Rows } from './table.ts'

/** What a configuration comes to, for people: where it listens, what it allows, and where calls go. No secret. */
export function describeConfig(
  config: Config,
  providers: readonly Provider[],
  prices: CurrentPrices = { find: () => undefined, epochMs: 0 },
): string {
  return [
    aligned(generalRows(config)),
    ['providers', ...config.providers.map((one) => describeProvider(one, providers))].join('\n'),
    aligned([routeHeadings, ...routeRows(config, prices)]),
  ].join('\n\n')
}

function generalRows({ host, port, keys, adminKeys, limits, ...config }: Config): Rows {
  const bearers = `${keys.length} ${keys.length === 1 ? 'key' : 'keys'} (${keys.map(masked).join(', ')})`
  const everyCall = config.cache.everyCall ? ', every call' : ''
  return [
    ['listening', addressOf({ host, port, tls: config.tls })],
    ...(config.tls === undefined ? [] : [['tls', certificateOf(config.tls.cert)]]),
    ['proxies', trusted(config.trustProxy)],
    ['file', config.source ?? 'none'],
    ...(config.demo ? [['demo', 'nothing is configured: the simulator answers']] : []),
    ['auth', keys.length === 0 ? 'off: every caller is served' : `on: ${bearers}`],
    ['managing', managingOf(keys, adminKeys)],
    ['cors', config.cors.origins.join(', ') || 'off'],
    ['log', config.logLevel],
    ['slow', `above ${config.slowThresholdMs} ms`],
    ['strict', yesOrNo(config.strict)],
    ['answers', `name the model as ${config.answerModel}`],
    ['limits', pairs(limits)],
    ['continues', yesOrNo(limits.continueStreams)],
    ['cache', config.cache.enabled ? `on: ${pairs(config.cache)}${everyCall}` : 'off'],
    ['drain', pairs(config.drain)],
    ['hedging', config.hedging.enabled ? `on: ${pairs(config.hedging)}` : 'off'],
    ['breaker', pairs(config.breaker)],
    ['coalesce', yesOrNo(config.coalesce)],
    ['replays', config.idempotency.enabled ? `on: ${pairs(config.idempotency)}` : 'off'],
    ['sticky', yesOrNo(config.stickiness)],
    ['catalog', catalogText(config)],
    ['data', config.dataDirectory],
    ['ledger', ledgerOf(config.ledger)],
    ['probes', config.probes.enabled ? `on: ${pairs(config.probes)}` : 'off'],
  ]
}

function addressOf({ host, port, tls }: { host: string; port: number; tls: unknown }): string {
  if (host.startsWith(socketPrefix)) return host
  return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function certificateOf(cert: string): string {
  const { subjectAltName, validTo } = new X509Certificate(cert)
  return `for ${subjectAltName ?? 'no name'}, until ${validTo}`
}

function trusted(trustProxy: Config['trustProxy']): string {
  if (typeof trustProxy === 'number') return trustProxy === 0 ? 'none' : `the last ${trustProxy}`
  return trustProxy.join(', ') || 'none'
}

function managingOf(keys: readonly string[], adminKeys: readonly AdminKey[]): string {
  if (adminKeys.length > 0) return adminKeys.map(({ key, role }) => `${role} (${masked(key)})`).join(', ')
  return keys.length === 0 ? 'off: every caller may' : 'closed: there are no keys in auth.adminKeys'
}

/** `of 2026-11-29, as shipped; lists asked for every 4 h; prices firm for 45 days`. */
function catalogText({ catalog }: Pick<Config, 'catalog'>): string {
  const { data, file, lists, everyMs, maxPriceAgeDays } = catalog
  const hours = Math.round(everyMs / 360_000) / 10
  const asking = lists ? `providers' lists every ${hours} h` : 'no lists are asked for'
  return `of ${data.asOf}, ${file ?? 'as shipped'}; ${asking}; prices are firm for ${maxPriceAgeDays} days`
}

function ledgerOf({ enabled, databaseUrl, ...settings }: Config['ledger']): string {
  if (!enabled) return 'off'
  return `${databaseUrl === undefined ? 'on' : 'on, in Postgres'}: ${pairs(settings)}`
}

function describeProvider(
  { name, type, settings }: ProviderSettings,
  providers: readonly Provider[],
): string {
  const schema = providers.find((provider) => provider.type === type)?.settings
  const shapes = schema === undefined ? [] : [inputShape(schema), outputShape(schema)]
  const written = isObject(settings) ? settings : {}
  const keys = new Set([
    ...shapes.flatMap((shape) => Object.keys(shape.properties ?? {})),
    ...Object.keys(written),
  ])
  const rows = [...keys].map((key) => [`    ${key}`, shown(written[key], [key], shapes)])
  return `  ${name}${name === type ? '' : ` (${type})`}\n${rows.length === 0 ? '    no settings' : aligned(rows)}`
}

/** A setting's value. A text is shown only where a schema says what it is, and none says that it is a secret. */
function shown(value: unknown, path: Path, shapes: readonly Shape[]): string {
  if (value === undefined || value === null) return 'not set'
  if (Array.isArray(value)) {
    return value.length === 0
      ? 'none'
      : value.map((item, index) => shown(item, [...path, index], shapes)).join(', ')
  }
  if (isObject(value)) {
    const entries = Object.entries(value).map(
      ([key, item]) => `${key} ${shown(item, [...path, key], shapes)}`,
    )
    return entries.length === 0 ? 'none' : entries.join(', ')
  }
  const said = shapes.flatMap((shape) => shapeAt(shape, path) ?? [])
  if (said.some(({ secret }) => secret)) return masked(String(value))
  if (typeof value !== 'string') return String(value)
  return said.some((shape) => typesOf(shape).includes('string')) ? withoutCredentials(value) : masked(value)
}

function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no'
}
