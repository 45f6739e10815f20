import { globSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { configSchema } from '../../src/config/schema.ts'
import { inputShape, type Shape } from '../../src/config/shape.ts'
import { fileVariable, textVariable, variables } from '../../src/config/source/environment.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'

const dotEnv = readFileSync('.env.example', 'utf8')
const yaml = readFileSync('gateway.example.yaml', 'utf8')
const defaults = loadWith(undefined, {})

function loadWith(file: string | undefined, environment: Record<string, string>): Config {
  return loadConfig({
    environment,
    readFile: (path) => {
      if (file !== undefined && path === 'gateway.yaml') return file
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    },
    providers,
  })
}

describe('.env.example', () => {
  const everyLine = parseEnv(dotEnv.replaceAll(/^#(?=[A-Z_]+=)/gm, '')) as Record<string, string>

  test('changes nothing as it stands', () => {
    expect(loadWith(undefined, parseEnv(dotEnv) as Record<string, string>)).toEqual(defaults)
  })

  test('has every variable that is read, and no other', () => {
    const read = [fileVariable, textVariable, ...variables.map(({ name }) => name)]
    expect(Object.keys(everyLine).toSorted()).toEqual(read.toSorted())
  })

  test('shows the defaults', () => {
    const { PANDOTATE_URL, GATEWAY_CONFIG, ...others } = everyLine
    const { origins: _, ...shown } = loadWith(undefined, others)
    const { origins: _of, ...byDefault } = defaults
    expect(shown).toEqual({ ...byDefault, isDataDirectoryGiven: true })
    expect(loadWith(undefined, { PANDOTATE_URL: PANDOTATE_URL ?? '' }).providers).toEqual(defaults.providers)
    expect(GATEWAY_CONFIG).toBe(loadWith('', {}).source)
  })
})

test('no other variable is read anywhere in the product', () => {
  const read = /(?:process\.env|environment)(?:\.([A-Z]\w*)|\[['"`](\w+)['"`]\])/g
  // npm's own NODE_ENV only decides what the start file says of a missing Node.js.
  const known = new Set([...variables.map(({ name }) => name), 'NODE_ENV'])
  const files = globSync('src/**/*.{ts,js}')
  expect(files).toContain('src/config.ts')
  const found = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(read)])
  const names = found.map(([, dotted, quoted]) => dotted ?? quoted ?? '')
  expect(names).toContain('PANDOTATE_URL')
  expect(names.filter((name) => !known.has(name))).toEqual([])
})

describe('gateway.example.yaml', () => {
  const named = [...yaml.replaceAll(/#.*/g, '').matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name ?? '')
  const environment = Object.fromEntries(named.map((name) => [name, `value-of-${name.toLowerCase()}`]))
  const load = () => loadWith(yaml, environment)
  const everyLine = yaml.replaceAll(/^( *)#(?=[a-zA-Z]+:)/gm, '$1')

  test('is taken, with the variables it names set', () => {
    expect([...new Set(named)].toSorted()).toEqual([
      'BASETEN_API_KEY',
      'GATEWAY_ADMIN_KEY',
      'GATEWAY_KEY',
      'PANDOTATE_API_KEY',
      'RESEARCH_KEY',
      'RUNPOD_API_KEY',
      'RUNPOD_ENDPOINT_ID',
      'SCRAPER_KEY',
      'TOGETHER_API_KEY',
    ])
    expect(load().keys).toEqual(['value-of-gateway_key', 'value-of-research_key'])
    expect(load().routes.map(({ pattern }) => pattern)).toEqual([
      'mistral-7b',
      'mistral-7b-instruct',
      'glm-5.3',
      'qwen*',
      'sim-*',
      '*',
    ])
  })

  test('shows the defaults of the gateway’s own settings', () => {
    const { keys, adminKeys, providers: _providers, routes, demo, stated, source, ...others } = load()
    const { isDataDirectoryGiven, routing, tenants, origins: _, ...own } = others
    expect(routing).toEqual({ isDefault: false, listed: false, successors: false })
    const { attempts, ...limits } = own.limits
    expect(defaults).toMatchObject({ ...own, limits })
    expect(defaults.tenants).toMatchObject({ terms: tenants.terms, alerts: tenants.alerts })
    // Written out, it is what a call has where nothing is said and no deployment asks for more.
    expect(attempts).toBe(3)
    expect({ keys: keys.length, demo, source, isDataDirectoryGiven, routes: routes.length }).toEqual({
      isDataDirectoryGiven: true,
      keys: 2,
      demo: false,
      source: 'gateway.yaml',
      routes: 6,
    })
  })

  test('shows Pandotate’s defaults', () => {
    const settings = (config: Config) => config.providers[0]?.settings as Record<string, unknown>
    expect(settings(load())).toEqual({
      ...settings(defaults),
      apiKey: 'value-of-pandotate_api_key',
      keyless: false,
    })
  })

  test.for(['together', 'baseten', 'runpod'])('shows the defaults of %s', (name) => {
    const settings = (config: Config) =>
      config.providers.find((one) => one.name === name)?.settings as Record<string, unknown>
    const byDefault = settings(loadWith(undefined, environment))
    // Where there is no default, it is said.
    const { textPath, auth, baseUrl, ...others } = settings(load())
    const { baseUrl: ownUrl = baseUrl, ...rest } = byDefault
    expect([baseUrl, others]).toEqual([ownUrl, rest])
  })

  test('has every key there is', () => {
    const shape = inputShape(configSchema([], ['pandotate'], { hardware: [] }))
    const content = parse(everyLine) as Tree
    expect(keysOf(shape, content)).toEqual([])
    for (const { type, settings } of providers) {
      const written = Object.entries(content['providers'] ?? {}).filter(
        ([name, section]) => (section?.['type'] ?? name) === type,
      )
      const sections = written.map(([, section]) => section)
      expect(keysOf(inputShape(settings), ...sections), type).toEqual([])
    }
  })

  test('would be found to lack a key', () => {
    const shape = inputShape(configSchema([], ['pandotate'], { hardware: [] }))
    const content = parse(everyLine) as Tree
    delete (content['limits'] as Tree)['fanOut']
    expect(keysOf(shape, content)).toEqual(['limits.fanOut'])
  })
})

type Tree = { [key: string]: Tree | undefined }

/** The keys of a shape that a content lacks; where one of something or a list of it may stand, either has them. In a list, or a section of free names, any entry may have them. */
function keysOf(shape: Shape, ...contents: (Tree | undefined)[]): string[] {
  if (shape.anyOf !== undefined) {
    const sections = contents.flatMap((one): (Tree | undefined)[] => (Array.isArray(one) ? one : [one]))
    return [...new Set(shape.anyOf.flatMap((branch) => keysOf(branch.items ?? branch, ...sections)))]
  }
  const free = shape.items ?? shape.additionalProperties
  if (typeof free === 'object') return keysOf(free, ...contents.flatMap((one) => Object.values(one ?? {})))
  return Object.entries(shape.properties ?? {}).flatMap(([key, inner]) => {
    const values = contents.map((one) => one?.[key]).filter((value) => value !== undefined)
    if (values.length === 0) return [key]
    return keysOf(inner, ...values).map((missing) => `${key}.${missing}`)
  })
}
