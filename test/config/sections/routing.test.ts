import { describe, expect, test } from 'vitest'
import { strategyNames } from '../../../src/config/sections/models.ts'
import type { DeploymentSettings } from '../../../src/config/sections/routing.ts'
import { load, report } from '../load.ts'

describe('a strategy', () => {
  test.for(Object.values(strategyNames))('%s is taken as it is named', (name) => {
    expect(load(`${model('provider: simulator')}    route: ${name}\n`).routes[0]?.strategy).toBe(name)
  })
})

describe('a deployment', () => {
  const tokens = { nanoUsdPerSecond: undefined }
  test.for<[string, Partial<DeploymentSettings>]>([
    ['weight: 0', { weight: 0 }],
    ['weight: 2.5', { weight: 2.5 }],
    [
      'price: { input: 0.88, cachedInput: "0.22", output: "1" }',
      {
        price: [
          {
            price: {
              ...tokens,
              inputNanoUsdPerMillion: 880_000_000,
              cachedInputNanoUsdPerMillion: 220_000_000,
              outputNanoUsdPerMillion: 1_000_000_000,
            },
          },
        ],
      },
    ],
    [
      'price: { input: 0, perRequest: 1e-9 }',
      {
        price: [
          {
            price: {
              ...tokens,
              inputNanoUsdPerMillion: 0,
              cachedInputNanoUsdPerMillion: undefined,
              outputNanoUsdPerMillion: undefined,
              nanoUsdPerRequest: 1,
            },
          },
        ],
      },
    ],
    [
      'price: { output: "9007199.254740991" }',
      {
        price: [
          {
            price: {
              ...tokens,
              inputNanoUsdPerMillion: undefined,
              cachedInputNanoUsdPerMillion: undefined,
              outputNanoUsdPerMillion: Number.MAX_SAFE_INTEGER,
            },
          },
        ],
      },
    ],
    [
      'price: { perSecond: 0.00031 }',
      {
        price: [
          {
            price: {
              inputNanoUsdPerMillion: undefined,
              cachedInputNanoUsdPerMillion: undefined,
              outputNanoUsdPerMillion: undefined,
              nanoUsdPerSecond: 310_000,
            },
          },
        ],
      },
    ],
    ['contextTokens: 8192', { traits: { contextTokens: 8192 } }],
    ['maxOutputTokens: 1', { traits: { maxOutputTokens: 1 } }],
    ['lowersMaxTokens: false', { traits: { lowersMaxTokens: false } }],
    ['keepsBillingLine: true', { traits: { keepsBillingLine: true } }],
    ['tools: false', { traits: { tools: false } }],
    ['jsonSchema: true', { traits: { jsonSchema: true } }],
    ['vision: true', { traits: { vision: true } }],
    ['logprobs: false', { traits: { logprobs: false } }],
    ['baseline: false', {}],
  ])('with %s', ([written, settings]) => {
    const [route] = load(model(`provider: simulator\n        ${written}`)).routes
    expect(route?.deployments).toStrictEqual([{ provider: 'simulator', ...settings }])
    expect(route).not.toHaveProperty('baseline')
  })

  const amount = 'expected USD as a decimal number of at least 0, with 9 decimals at most'
  const price =
    'expected a section with input and output (and cachedInput) in USD per million tokens, with perSecond in USD, or with gpu (and gpus); perRequest comes on top; or a list of such sections, each with the day from which it applies'
  test.for([
    ['weight: -1', 'weight: found -1, expected a number from 0 to 1000000'],
    ['weight: heavy', 'weight: found "heavy", expected a number from 0 to 1000000'],
    ['price: { input: -0.1 }', `price.input: found -0.1, ${amount}`],
    ['price: { input: "-0.1" }', `price.input: found "-0.1", ${amount}`],
    ['price: { input: $3 }', `price.input: found "$3", ${amount}`],
    ['price: { input: "" }', `price.input: found "", ${amount}`],
    ['price: { input: .inf }', `price.input: found Infinity, ${amount}`],
    ['price: { input: true }', `price.input: found true, ${amount}`],
    ['price: { output: "0.0000000001" }', `price.output: found "0.0000000001", ${amount}`],
    ['price: { perSecond: 9007200 }', `price.perSecond: found 9007200, ${amount}`],
    ['price: {}', `price: found a section with none of them, ${price}`],
    ['price: 3', `price: found a number, ${price}`],
    ['price: { perRequest: 1 }', `price: found a section with perRequest, ${price}`],
    ['price: { cachedInput: 1, output: 1 }', `price: found a section with cachedInput, output, ${price}`],
    ['price: { perSecond: 1, input: 1 }', `price: found a section with input, perSecond, ${price}`],
    [
      'price: { input: 1, imput: 1 }',
      'price.imput: is not a setting, expected input, cachedInput, output, perSecond, perRequest, gpu, gpus; did you mean input?',
    ],
    ['contextTokens: 0', 'contextTokens: found 0, expected a whole number of at least 1'],
    ['maxOutputTokens: 1.5', 'maxOutputTokens: found 1.5, expected a whole number of at least 1'],
    ['tools: 1', 'tools: found 1, expected true or false'],
    ['vision: some', 'vision: found "some", expected true or false'],
  ])('is refused with %s', ([written, told]) => {
    expect(report(model(`provider: simulator\n        ${written}`))).toEqual([
      `gateway.yaml:5: models.a.deployments[0].${told}`,
    ])
  })
})

describe('the baseline', () => {
  const marked = (...marks: readonly boolean[]) =>
    `models:\n  a:\n    deployments:\n${marks.map((baseline, at) => `      - { provider: simulator, model: m${at}, baseline: ${baseline} }\n`).join('')}`

  test('is the deployment that is marked', () => {
    const [route] = load(marked(false, true, false)).routes
    expect(route?.baseline).toBe(1)
    const models = ['m0', 'm1', 'm2'].map((name) => ({ provider: 'simulator', model: name }))
    expect(route?.deployments).toStrictEqual(models)
  })

  test('is one', () => {
    const told = 'found true, expected: it at only one deployment of a model'
    expect(report(marked(true, false, true, true))).toEqual([
      `gateway.yaml:6: models.a.deployments[2].baseline: ${told}`,
      `gateway.yaml:7: models.a.deployments[3].baseline: ${told}`,
    ])
  })
})

describe('an alias', () => {
  test('is a route of its own, right after that of its model, which providers know by its own name', () => {
    const { routes } = load(`
models:
  qwen:
    route: weighted
    aliases: [qwen-2, Qwen/Qwen2]
    deployments:
      - { provider: simulator, weight: 2 }
      - { provider: pandotate, model: there, baseline: true }
  other: { deployments: [{ provider: simulator }] }
`)
    const named = [
      { provider: 'simulator', model: 'qwen', weight: 2 },
      { provider: 'pandotate', model: 'there' },
    ]
    const shared = { strategy: 'weighted', baseline: 1 }
    expect(routes).toEqual([
      { ...shared, pattern: 'qwen', deployments: [{ provider: 'simulator', weight: 2 }, named[1]] },
      { ...shared, pattern: 'qwen-2', deployments: named },
      { ...shared, pattern: 'Qwen/Qwen2', deployments: named },
      { pattern: 'other', strategy: 'fallback', deployments: [{ provider: 'simulator' }] },
    ])
  })

  test('of a pattern is asked for as it stands', () => {
    const { routes } = load('models: { "qwen*": { aliases: [q], deployments: [{ provider: simulator }] } }')
    expect(routes[1]).toEqual({
      pattern: 'q',
      strategy: 'fallback',
      deployments: [{ provider: 'simulator' }],
    })
  })

  const expected =
    'expected a name without *, of at most 256 characters, that is not the name of another model or alias, without :floor or :nitro at its end'
  test.for<[string, string, string]>([
    ['its own model', 'a: { aliases: [a]', 'a.aliases[0]: found "a"'],
    ['another model', 'a: { aliases: [x, b]', 'a.aliases[1]: found "b"'],
    ['itself, twice', 'a: { aliases: [x, x]', 'a.aliases[1]: found "x"'],
    ['a pattern', 'a: { aliases: ["x*"]', 'a.aliases[0]: found "x*"'],
    ['nothing', 'a: { aliases: [""]', 'a.aliases[0]: found ""'],
    ['what steers', 'a: { aliases: ["x:floor"]', 'a.aliases[0]: found "x:floor"'],
    [
      'what is in the prototype of all, twice',
      'a: { aliases: [toString, toString]',
      'a.aliases[1]: found "toString"',
    ],
  ])('is refused when it names %s', ([, written, told]) => {
    const file = `models:\n  b: { deployments: [{ provider: simulator }] }\n  ${written}, deployments: [{ provider: simulator }] }\n`
    expect(report(file)).toEqual([`gateway.yaml:3: models.${told}, ${expected}`])
  })

  test('is refused when another model has it for an alias', () => {
    const one = (name: string) => `  ${name}: { aliases: [x], deployments: [{ provider: simulator }] }\n`
    expect(report(`models:\n${one('a')}${one('b')}`)).toEqual([
      `gateway.yaml:3: models.b.aliases[0]: found "x", ${expected}`,
    ])
  })
})

test.for([
  ['cache: { ttlMs: 0 }', 'cache.ttlMs: found 0, expected a whole number from 1 to 86400000'],
  ['cache: { maxEntries: 0 }', 'cache.maxEntries: found 0, expected a whole number from 1 to 1000000'],
  ['cache: { maxBytes: 1.5 }', 'cache.maxBytes: found 1.5, expected a whole number from 1 to 68719476736'],
  [
    'cache: { on: true }',
    'cache.on: is not a setting, expected enabled, ttlMs, maxEntries, maxBytes, everyCall',
  ],
  ['coalesce: 1', 'coalesce: found 1, expected true or false'],
  ['idempotency: { ttlMs: 0 }', 'idempotency.ttlMs: found 0, expected a whole number from 1 to 86400000'],
  [
    'idempotency: off',
    'idempotency: found text, expected a section with enabled, ttlMs, maxEntries, maxBytes',
  ],
  ['stickiness: no', 'stickiness: found "no", expected true or false'],
  ['catalog: { lists: daily }', 'catalog.lists: found "daily", expected true or false'],
  ['catalog: { everyMs: 1 }', 'catalog.everyMs: found 1, expected a whole number from 60000 to 604800000'],
  [
    'catalog: { maxPriceAgeDays: 0 }',
    'catalog.maxPriceAgeDays: found 0, expected a whole number from 1 to 3650',
  ],
  [
    'catalog: { file: nowhere.json }',
    'catalog.file: found "nowhere.json", expected the path of a file that can be read (ENOENT)',
  ],
  ['routes: { listed: some }', 'routes.listed: found "some", expected true or false'],
  ['probes: { intervalMs: 0 }', 'probes.intervalMs: found 0, expected a whole number from 1 to 86400000'],
  ['probes: { timeoutMs: 0 }', 'probes.timeoutMs: found 0, expected a whole number from 1 to 86400000'],
  ['probes: true', 'probes: found a boolean, expected a section with enabled, intervalMs, timeoutMs'],
])('%s is refused', ([file, told]) => {
  expect(report(file)).toEqual([`gateway.yaml:1: ${told}`])
})

function model(deployment: string): string {
  return `models:\n  a:\n    deployments:\n      - ${deployment}\n`
}
