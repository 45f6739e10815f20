import { isObject } from '../core/model/json/json.ts'
import { isWithin } from '../core/model/json/nearest.ts'
import { placeOf } from './report/problem.ts'
import type { RouteSettings } from './sections/routing.ts'
import { fileOption, fileVariable, textVariable, variables } from './source/environment.ts'
import type { Environment } from './source/substitution.ts'

export type WarningParts = {
  /** The file's content with values filled in; undefined: it is empty, or missing. */
  readonly content: unknown
  /** Undefined: there is no file. */
  readonly path: string | undefined
  readonly environment: Environment
  readonly routes: readonly RouteSettings[]
  /** Each provider's settings, by its name. */
  readonly providers: readonly { readonly name: string; readonly type: string; readonly settings: unknown }[]
}

/** Warnings about settings that are valid but probably unintended. Each is a sentence, and contains no secret. */
export function warningsOf(parts: WarningParts): readonly string[] {
  return [
    ...emptyFile(parts),
    ...nearVariables(parts.environment),
    ...callUrls(parts),
    ...oddPrices(parts.content),
    ...missingKeys(parts),
  ]
}

function emptyFile({ content, path }: WarningParts): readonly string[] {
  const isEmpty =
    content === undefined || content === null || (isObject(content) && Object.keys(content).length === 0)
  return path === undefined || !isEmpty
    ? []
    : [`${path} is empty or contains only comments, so it sets nothing.`]
}

/** Variables with names similar to a known variable that is not set, such as PANDOTATE_APIKEY or TOGETHER_KEY. */
function nearVariables(environment: Environment): readonly string[] {
  const known = [fileVariable, ...variables.map(({ name }) => name)]
  return Object.keys(environment).flatMap((name) => {
    if (!/^[A-Z][A-Z0-9_]{5,}$/.test(name) || known.includes(name) || !environment[name]) return []
    // OpenTelemetry's standard has similar variables for logs and metrics.
    if (name.startsWith('OTEL_')) return []
    const unset = known.filter((one) => one.includes('_') && !environment[one])
    const meant =
      unset.find((one) => withoutAffixes(one) === withoutAffixes(name)) ??
      unset.find((one) => isWithin(name, one, mostEdits))
    return meant === undefined ? [] : [`The variable ${name} is not read: did you mean ${meant}?`]
  })
}

/** The maximum edit distance. Names of other programs' variables differ more. */
const mostEdits = 2

function withoutAffixes(name: string): string {
  return name.replace(/_|API/g, '')
}

/** Base URLs that end in the path of a call. The gateway appends the path, so every call would be answered 404. */
function callUrls({ providers }: WarningParts): readonly string[] {
  return providers.flatMap(({ name, settings }) => {
    const url = isObject(settings) ? settings['baseUrl'] : undefined
    const end = typeof url === 'string' ? callPath.exec(url)?.[1] : undefined
    if (end === undefined) return []
    return [
      `providers.${name}.baseUrl ends with ${end}: remove that, the gateway appends the path of each call.`,
    ]
  })
}

const callPath = /(\/(?:chat\/completions|completions|embeddings|responses|messages|models|rerank))\/?$/

function oddPrices(content: unknown): readonly string[] {
  const models = isObject(content) && isObject(content['models']) ? content['models'] : {}
  return Object.entries(models).flatMap(([model, written]) => {
    const deployments = isObject(written) ? written['deployments'] : undefined
    if (!Array.isArray(deployments)) return []
    return deployments.flatMap((deployment: unknown, index) => {
      const price = isObject(deployment) ? deployment['price'] : undefined
      const place = placeOf(['models', model, 'deployments', index, 'price'])
      return (Array.isArray(price) ? price : [price]).flatMap((one) => oddPrice(one, place))
    })
  })
}

function oddPrice(price: unknown, place: string): readonly string[] {
  if (!isObject(price)) return []
  const warnings: string[] = []
  const { input, output } = price
  if (input !== undefined && output === undefined) {
    warnings.push(`${place} has input and no output: the cost of answers is unknown, unless output is set.`)
  }
  for (const name of ['input', 'output', 'cachedInput']) {
    const usd = Number(price[name])
    if (price[name] !== undefined && usd > 0 && usd < leastPerMillion) {
      warnings.push(
        `${place}.${name} is ${String(price[name])} USD per million tokens: is that a price per token? Per million it is ${perMillion(usd)}.`,
      )
    }
  }
  return warnings
}

/** No model costs less per million tokens, but a price per token is less. */
const leastPerMillion = 0.001

function perMillion(usd: number): string {
  return String(Number((usd * 1e6).toPrecision(6)))
}

/** Providers in routes that require a key and have none. */
function missingKeys({ routes, providers, path }: WarningParts): readonly string[] {
  if (path === undefined) return []
  const used = new Set(routes.flatMap(({ deployments }) => deployments.map(({ provider }) => provider)))
  return providers.flatMap(({ name, settings }) => {
    if (!used.has(name) || !isObject(settings) || settings['apiKey'] !== undefined) return []
    const url = settings['baseUrl']
    if (typeof url !== 'string' || !hosted.test(url)) return []
    return [`providers.${name} has no apiKey, and the provider requires one.`]
  })
}

/** Services that require a key. */
const hosted =
  /^https:\/\/[^/]*\b(?:together\.(?:xyz|ai)|runpod\.ai|baseten\.co|openai\.com|anthropic\.com|mistral\.ai|groq\.com|fireworks\.ai|deepinfra\.com|deepseek\.com|openrouter\.ai|x\.ai|cerebras\.ai)\//

/**
 * Warnings about files with similar names, if the expected file does not exist and no other is configured. `exists`
 * looks in the working directory.
 */
export function nearFiles(environment: Environment, exists: (path: string) => boolean): readonly string[] {
  const isNamed = Boolean(environment[fileOption] || environment[fileVariable] || environment[textVariable])
  const settings = isNamed || exists('gateway.yaml') ? [] : nearSettings.filter(exists)
  const variablesFiles = exists('.env') ? [] : nearVariablesFiles.filter(exists)
  return [
    ...settings.map(
      (name) => `${name} is not read: name it gateway.yaml, or set --config or ${fileVariable}.`,
    ),
    ...variablesFiles.map((name) => `${name} is not read: name it .env.`),
  ]
}

const nearSettings = [
  ...['gateway.yml', 'gateway.json', 'Gateway.yaml', 'gateway.yaml.txt', 'gateways.yaml', '.gateway.yaml'],
  ...['config.yaml', 'config.yml', 'pandotate.yaml', 'pandotate-gateway.yaml'],
]

const nearVariablesFiles = [
  'env',
  '.env.txt',
  'env.txt',
  '.env.local',
  '.env.production',
  '.envrc',
  'gateway.env',
]
