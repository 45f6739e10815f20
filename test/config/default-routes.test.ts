import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { defaultModels as defaultModelsOf } from '../../src/catalog/default-models.ts'
import { shippedCatalog } from '../../src/catalog/shipped.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { providers as realProviders } from '../../src/providers/all.ts'
import type { Provider } from '../../src/providers/base/provider.ts'
import { refusal, testProviders } from './load.ts'

const defaultModels = (names: ReadonlySet<string>) => defaultModelsOf(shippedCatalog(), names)

const keyed = z.strictObject({ apiKey: z.string().min(4).meta({ secret: true }).optional() })

const runpodSettings = z.strictObject({
  apiKey: z.string().optional(),
  endpointId: z.string(),
})

const allProviders = [
  ...testProviders,
  provider('together', keyed),
  provider('baseten', keyed),
  provider('runpod', runpodSettings),
]

const together = { TOGETHER_API_KEY: 'together-key' }
const baseten = { BASETEN_API_KEY: 'baseten-key' }
const runpod = { RUNPOD_API_KEY: 'runpod-key', RUNPOD_ENDPOINT_ID: 'abc123' }

describe('with keys in the environment, models go where they run, and else to Pandotate', () => {
  test.for<[string, Record<string, string>, readonly string[]]>([
    ['Together', together, ['together']],
    ['Baseten', baseten, ['baseten']],
    ['Baseten and RunPod', { ...baseten, ...runpod }, ['baseten', 'runpod']],
    ['Together and Baseten', { ...together, ...baseten }, ['together', 'baseten']],
    ['RunPod, with an endpoint', runpod, ['runpod']],
    ['Together and Pandotate', { ...together, PANDOTATE_API_KEY: 'pk_test' }, ['together']],
    ['Together and RunPod', { ...together, ...runpod }, ['together', 'runpod']],
  ])('for %s', ([, environment, names]) => {
    const config = loadWith(undefined, environment)
    expect(config.routes).toEqual(defaultModels(new Set([...names, 'pandotate'])))
    expect(config.providers.map(({ name }) => name)).toEqual(['pandotate', 'simulator', ...names])
    expect(config.demo).toBe(false)
  })

  test('and the keys are the providers’ own', () => {
    const config = loadWith(undefined, { ...together, ...runpod })
    expect(config.providers.slice(2)).toEqual([
      { name: 'together', type: 'together', settings: { apiKey: 'together-key' } },
      { name: 'runpod', type: 'runpod', settings: { apiKey: 'runpod-key', endpointId: 'abc123' } },
    ])
  })

  test('and no name has a route of which a provider is not there', () => {
    const config = loadWith(undefined, { ...together, ...runpod })
    const names = new Set(config.providers.map(({ name }) => name))
    const unknown = config.routes.flatMap(({ deployments }) =>
      deployments.filter((one) => !names.has(one.provider)),
    )
    expect(config.routes.length).toBeGreaterThan(10)
    expect(unknown).toEqual([])
  })
})

test('a key in the file does as well', () => {
  const config = loadWith('providers: { together: { apiKey: from-the-file } }', {})
  expect(config.routes).toEqual(defaultModels(new Set(['together', 'pandotate'])))
})

test('a place of the operator’s own at Baseten runs none of the models that Baseten has for everyone', () => {
  const config = loadWith('providers: { baseten: { deployment: { model: abc } } }', baseten, realProviders)
  expect(config.routes).toEqual([
    { pattern: '*', strategy: 'fallback', deployments: [{ provider: 'pandotate' }] },
  ])
})

test('a place that is called by its preset, and has a key, is one of the map’s', () => {
  const file = 'providers: { mistral: { type: openai-compatible, preset: mistral, apiKey: from-the-file } }'
  const config = loadWith(file, {}, realProviders)
  expect(config.routes).toEqual(defaultModels(new Set(['mistral', 'pandotate'])))
  const other = loadWith(file.replace('mistral:', 'other:'), {}, realProviders)
  expect(other.routes).toEqual([
    { pattern: '*', strategy: 'fallback', deployments: [{ provider: 'pandotate' }] },
  ])
})

test('a variable wins over the file', () => {
  const config = loadWith('providers: { together: { apiKey: from-the-file } }', together)
  expect(config.providers.at(-1)?.settings).toEqual({ apiKey: 'together-key' })
})

test('a provider that the file writes takes one variable of two', () => {
  const config = loadWith('providers: { runpod: { endpointId: of-the-file } }', {
    RUNPOD_API_KEY: 'runpod-key',
  })
  expect(config.providers.at(-1)?.settings).toEqual({ apiKey: 'runpod-key', endpointId: 'of-the-file' })
})

test('models in the file are the routes, whatever keys there are', () => {
  const config = loadWith('models: { a: { deployments: [{ provider: together }] } }', together)
  expect(config.routes).toEqual([
    { pattern: 'a', strategy: 'fallback', deployments: [{ provider: 'together' }] },
  ])
})

describe('a variable is no setting', () => {
  test.for<[string, Record<string, string>]>([
    ['when it is empty', { TOGETHER_API_KEY: '', BASETEN_API_KEY: '' }],
    ['when it is RunPod’s key without an endpoint', { RUNPOD_API_KEY: 'runpod-key' }],
    ['when it is RunPod’s endpoint without a key', { RUNPOD_ENDPOINT_ID: 'abc123', RUNPOD_API_KEY: '' }],
  ])('%s', ([, environment]) => {
    expect(loadWith(undefined, environment)).toEqual(loadWith(undefined, {}))
  })

  test('when there is no such type of provider', () => {
    const environment = { ...together, ...runpod }
    expect(loadWith(undefined, environment, testProviders)).toEqual(loadWith(undefined, {}, testProviders))
  })

  test('when the file has a provider of another type by that name', () => {
    const file = 'providers:\n  together:\n    type: openai-compatible\n    baseUrl: http://127.0.0.1/v1\n'
    expect(loadWith(file, together)).toEqual(loadWith(file, {}))
  })
})

test.for([undefined, 'providers: { together: }'])(
  'a bad key is told by the name of its variable: %s',
  (file) => {
    expect(refusal(() => loadWith(file, { TOGETHER_API_KEY: 'abc' })).problems).toEqual([
      {
        source: 'environment',
        place: 'TOGETHER_API_KEY',
        message: 'found a secret of 3 characters, expected text of at least 4 characters',
      },
    ])
  },
)

function loadWith(
  file: string | undefined,
  environment: Record<string, string>,
  providers: readonly Provider[] = allProviders,
): Config {
  return loadConfig({
    environment,
    readFile: (path) => {
      if (file !== undefined && path === 'gateway.yaml') return file
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    },
    providers,
  })
}

function provider(type: string, settings: z.ZodType): Provider {
  return {
    type,
    settings,
    create(name) {
      throw new Error(`${name} is not for calls.`)
    },
  }
}
