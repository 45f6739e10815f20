import { isObject } from '../core/json.ts'
import type { Clocks } from '../core/model.ts'
import type { Provider } from '../providers/provider.ts'
import type { Path } from './problem.ts'
import type { DeploymentSettings } from './routing.ts'
import type { Config, ProviderSettings } from './settings.ts'
import { inputShape, outputShape, type Shape, shapeAt, typesOf } from './shape.ts'
import { masked, withoutCredentials } from './wording.ts'

/** What a configuration comes to, for people: where it listens, what it allows, and where calls go. No secret. */
export function describeConfig(config: Config, providers: readonly Provider[]): string {
  return [
    aligned(generalRows(config)),
    ['providers', ...config.providers.map((one) => describeProvider(one, providers))].join('\n'),
    aligned([routeHeadings, ...routeRows(config)]),
  ].join('\n\n')
}

const routeHeadings = ['routes', 'strategy', 'provider', 'model there', 'clocks and retries']

type Rows = readonly (readonly string[])[]

function generalRows({ host, port, keys, limits, ...config }: Config): Rows {
  const address = host.includes(':') ? `[${host}]` : host
  const bearers = `${keys.length} ${keys.length === 1 ? 'key' : 'keys'} (${keys.map(masked).join(', ')})`
  return [
    ['listening', `http://${address}:${port}`],
    ['file', config.source ?? 'none'],
    ...(config.demo ? [['demo', 'nothing is configured: the simulator answers']] : []),
    ['auth', keys.length === 0 ? 'off: every caller is served' : `on: ${bearers}`],
    ['log', config.logLevel],
    ['slow', `above ${config.slowThresholdMs} ms`],
    ['strict', config.strict ? 'yes' : 'no'],
    ['limits', pairs(limits)],
  ]
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

function routeRows({ routes, providers }: Config): Rows {
  return routes.flatMap(({ pattern, strategy, deployments }) =>
    deployments.map((deployment, index) => {
      const provider = providers.find(({ name }) => name === deployment.provider)
      const first = index === 0
      return [
        first ? `  ${pattern}` : '',
        first ? strategy : '',
        ...deploymentCells(index, deployment, provider),
      ]
    }),
  )
}

function deploymentCells(
  index: number,
  { provider, model, clocks, retries, retryDelayMs }: DeploymentSettings,
  upstream: ProviderSettings | undefined,
): readonly string[] {
  const own = isObject(upstream?.settings) ? upstream.settings : {}
  const effective = pairs({
    ...(isObject(own['clocks']) ? own['clocks'] : {}),
    ...clocks,
    retries: retries ?? own['retries'],
    retryDelayMs: retryDelayMs ?? own['retryDelayMs'],
  } satisfies Partial<Record<keyof Clocks | 'retries' | 'retryDelayMs', unknown>>)
  return [`${index + 1}. ${provider}`, model ?? 'as asked for', effective]
}

/** Only numbers: so that nothing is shown which might be a secret. */
function pairs(values: Readonly<Record<string, unknown>>): string {
  const numbers = Object.entries(values).filter(([, value]) => typeof value === 'number')
  return numbers.map(([key, value]) => `${key} ${value}`).join(', ')
}

function aligned(rows: Rows): string {
  const columns = Math.max(...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  return lines.map((line) => line.trimEnd()).join('\n')
}
