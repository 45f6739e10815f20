import { describe, expect, test } from 'vitest'
import { load, refusal, report } from './load.ts'

describe('refused in the environment', () => {
  const port = 'expected a whole number from 0 to 65535'
  const seconds = 'expected a number of seconds above 0, at most 86400'
  test.for([
    ['PORT', '80x0', `found "80x0", ${port}`],
    ['PORT', '8000 ', `found "8000 ", ${port}`],
    ['PORT', '0x50', `found "0x50", ${port}`],
    ['PORT', '1e3', `found "1e3", ${port}`],
    ['PORT', '080', `found "080", ${port}`],
    ['PORT', '80.5', `found "80.5", ${port}`],
    ['PORT', '-1', `found "-1", ${port}`],
    ['PORT', '65536', `found "65536", ${port}`],
    ['PORT', '99999999999999999999', `found "99999999999999999999", ${port}`],
    ['PANDOTATE_TIMEOUT', 'abc', `found "abc", ${seconds}`],
    ['PANDOTATE_TIMEOUT', '30s', `found "30s", ${seconds}`],
    ['PANDOTATE_TIMEOUT', '0', `found "0", ${seconds}`],
    ['PANDOTATE_TIMEOUT', '-5', `found "-5", ${seconds}`],
    ['PANDOTATE_TIMEOUT', '86401', `found "86401", ${seconds}`],
    ['PANDOTATE_RETRIES', 'one', 'found "one", expected a whole number from 0 to 10'],
    ['PANDOTATE_RETRIES', '1.5', 'found "1.5", expected a whole number from 0 to 10'],
    ['PANDOTATE_RETRY_DELAY_MS', '-1', 'found "-1", expected a whole number from 0 to 60000'],
    ['SLOW_THRESHOLD_MS', 'NaN', 'found "NaN", expected a whole number from 0 to 86400000'],
    [
      'LOG_LEVEL',
      'INFO',
      'found "INFO", expected one of trace, debug, info, warn, error, fatal, silent; did you mean info?',
    ],
    [
      'HOST',
      'http://x',
      'found "http://x", expected a host name or an IP address, such as 127.0.0.1, or the path of a socket, such as unix:/run/gateway.sock',
    ],
    [
      'HOST',
      '[::1]',
      'found "[::1]", expected a host name or an IP address, such as 127.0.0.1, or the path of a socket, such as unix:/run/gateway.sock',
    ],
    ['PANDOTATE_URL', 'api', 'found "api", expected a URL that starts with http:// or https://'],
    [
      'PANDOTATE_URL',
      'ftp://a.test/',
      'found "ftp://a.test/", expected a URL that starts with http:// or https://',
    ],
    ['PANDOTATE_API_KEY', 'pk', 'found a secret of 2 characters, expected text of at least 4 characters'],
  ] as const)('%s=%s', ([name, value, told]) => {
    expect(report(undefined, { [name]: value })).toEqual([`environment: ${name}: ${told}`])
    expect(report('providers: { pandotate: { clocks: { idleMs: 5 } } }', { [name]: value })).toEqual([
      `environment: ${name}: ${told}`,
    ])
  })
})

const types = 'one of pandotate, openai-compatible, transformed, simulator'

describe('refused in the file', () => {
  test.for<[string, string | readonly string[]]>([
    [
      '- a',
      'gateway.yaml: found a list, expected a section, each entry under its name (`name: { ... }`, without a dash before it)',
    ],
    [
      'text',
      'gateway.yaml: found text, expected a section with server, auth, teams, budgets, rateLimits, alerts, cors, log, slowThresholdMs, strict, answerModel, limits, cache, drain, hedging, breaker, coalesce, idempotency, responses, stickiness, catalog, routes, dataDirectory, ledger, console, shared, probes, tracing, providers, models',
    ],
    [
      'sever: {}',
      'gateway.yaml:1: sever: is not a setting, expected server, auth, teams, budgets, rateLimits, alerts, cors, log, slowThresholdMs, strict, answerModel, limits, cache, drain, hedging, breaker, coalesce, idempotency, responses, stickiness, catalog, routes, dataDirectory, ledger, console, shared, probes, tracing, providers, models; did you mean server?',
    ],
    [
      'server: 5',
      'gateway.yaml:1: server: found a number, expected a section with host, port, allowUnauthenticated, allowedHosts, trustProxy, workers, tls',
    ],
    [
      'server: { prot: 1 }',
      'gateway.yaml:1: server.prot: is not a setting, expected host, port, allowUnauthenticated, allowedHosts, trustProxy, workers, tls; did you mean port?',
    ],
    [
      'server: { port: }',
      'gateway.yaml:1: server.port: found nothing, expected a whole number from 0 to 65535',
    ],
    [
      'server: { port: .nan }',
      'gateway.yaml:1: server.port: found NaN, expected a whole number from 0 to 65535',
    ],
    [
      'server: { port: [80] }',
      'gateway.yaml:1: server.port: found a list, expected a whole number from 0 to 65535',
    ],
    [
      'server: { allowUnauthenticated: yes }',
      'gateway.yaml:1: server.allowUnauthenticated: found "yes", expected true or false',
    ],
    [
      'server: { __proto__: { port: 1 } }',
      'gateway.yaml:1: server: found a key that is not plain text, expected a name',
    ],
    ['auth:\n  keys:\n', 'gateway.yaml:2: auth.keys: found nothing, expected a list'],
    [
      'log: { level: loud }',
      'gateway.yaml:1: log.level: found "loud", expected one of trace, debug, info, warn, error, fatal, silent',
    ],
    [
      'limits: { bodyBytes: 0 }',
      'gateway.yaml:1: limits.bodyBytes: found 0, expected a whole number from 1 to 268435456',
    ],
    [
      'limits: { jsonDepth: 1.5 }',
      'gateway.yaml:1: limits.jsonDepth: found 1.5, expected a whole number from 1 to 1000',
    ],
    [
      'limits: { deadlineMs: 86400001 }',
      'gateway.yaml:1: limits.deadlineMs: found 86400001, expected a whole number from 1 to 86400000',
    ],
    [
      'limits: { attempts: 0 }',
      'gateway.yaml:1: limits.attempts: found 0, expected a whole number from 1 to 20',
    ],
    [
      'limits: { fanOut: 0 }',
      'gateway.yaml:1: limits.fanOut: found 0, expected a whole number from 1 to 256',
    ],
    [
      'limits: { choices: 0 }',
      'gateway.yaml:1: limits.choices: found 0, expected a whole number from 1 to 4096',
    ],
    [
      'limits: { inFlight: 0 }',
      'gateway.yaml:1: limits.inFlight: found 0, expected a whole number from 1 to 1000000',
    ],
    [
      'limits: { heapShare: 90 }',
      'gateway.yaml:1: limits.heapShare: found 90, expected a number from 0.01 to 1',
    ],
    [
      'limits: { keepaliveMs: -1 }',
      'gateway.yaml:1: limits.keepaliveMs: found -1, expected a whole number from 0 to 86400000',
    ],
    [
      'slowThresholdMs: true',
      'gateway.yaml:1: slowThresholdMs: found true, expected a whole number from 0 to 86400000',
    ],
    ['strict: no', 'gateway.yaml:1: strict: found "no", expected true or false'],
    ['strict: true\nstrict: true', 'gateway.yaml:2: strict: found twice, expected once'],
    ['? [a]\n: 1', 'gateway.yaml: found a key that is not plain text, expected a name'],
    [
      'strict: *nowhere',
      'gateway.yaml:1: strict: found an alias (*) without its anchor (&), expected the anchor before it',
    ],
    [
      'models: &m\n  a: *m',
      'gateway.yaml:2: models.a: found an alias (*) without its anchor (&), expected the anchor before it',
    ],

    [
      'providers: [a]',
      'gateway.yaml:1: providers: found a list, expected a section, each entry under its name (`name: { ... }`, without a dash before it)',
    ],
    ['providers: { local: { } }', `gateway.yaml:1: providers.local.type: missing, expected ${types}`],
    ['providers: { local: }', `gateway.yaml:1: providers.local.type: missing, expected ${types}`],
    [
      'providers: { local: { type: vllm } }',
      `gateway.yaml:1: providers.local.type: found "vllm", expected ${types}`,
    ],
    ['providers: { local: { type: 3 } }', `gateway.yaml:1: providers.local.type: found 3, expected ${types}`],
    [
      'providers: { local: http }',
      `gateway.yaml:1: providers.local: found text, expected a section with a type, expected ${types}`,
    ],
    [
      'providers: { pandotate: http }',
      'gateway.yaml:1: providers.pandotate: found text, expected a section with url, apiKey, clocks, retries, retryDelayMs, promptFormat, bos',
    ],
    [
      'providers: { pandotate: { type: simulator } }',
      'gateway.yaml:1: providers.pandotate.type: found "simulator", expected pandotate: a provider of another type needs another name',
    ],
    [
      'providers: { pandotate: { urll: 3 } }',
      'gateway.yaml:1: providers.pandotate.urll: is not a setting, expected type, url, apiKey, clocks, retries, retryDelayMs, promptFormat, bos; did you mean url?',
    ],
    [
      'providers: { simulator: { speed: 3 } }',
      'gateway.yaml:1: providers.simulator.speed: is not a setting, expected type',
    ],
    [
      'providers: { a b: { type: simulator } }',
      'gateway.yaml:1: providers["a b"]: is not a valid name of a provider, expected up to 64 letters, digits, dots, - or _',
    ],
    [
      'providers:\n  pandotate:\n    clocks:\n      idleMs: 0\n',
      'gateway.yaml:4: providers.pandotate.clocks.idleMs: found 0, expected a whole number from 1 to 86400000',
    ],
    [
      'providers:\n  pandotate:\n    clocks:\n      idle: 1\n',
      'gateway.yaml:4: providers.pandotate.clocks.idle: is not a setting, expected connectMs, firstTokenMs, idleMs, totalMs',
    ],
    [
      'providers:\n  local:\n    type: openai-compatible\n',
      'gateway.yaml:2: providers.local.baseUrl: missing, expected a URL that starts with http:// or https://',
    ],
    [
      'providers:\n  openai-compatible:\n',
      'gateway.yaml:2: providers["openai-compatible"].baseUrl: missing, expected a URL that starts with http:// or https://',
    ],

    [
      'models: {}',
      'gateway.yaml:1: models: found a section, expected at least one model; without `models`, the catalogue decides where each runs',
    ],
    [
      'models: [a]',
      'gateway.yaml:1: models: found a list, expected a section, each entry under its name (`name: { ... }`, without a dash before it)',
    ],
    ['models:\n  a:\n', 'gateway.yaml:2: models.a.deployments: missing, expected a list of at least 1'],
    [
      'models:\n  a:\n    deployments: []\n',
      'gateway.yaml:3: models.a.deployments: found an empty list, expected a list of at least 1',
    ],
    [
      'models:\n  a: { deployments: [pandotate] }\n',
      'gateway.yaml:2: models.a.deployments[0]: found text, expected a section with provider, model, clocks, retries, retryDelayMs, billing, weight, price, baseline, contextTokens, maxOutputTokens, lowersMaxTokens, keepsBillingLine, tools, jsonSchema, vision, logprobs, inputsPerRequest',
    ],
    [
      model('provider: nobody'),
      'gateway.yaml:4: models.a.deployments[0].provider: found "nobody", expected one of pandotate, simulator',
    ],
    [
      model('model: b'),
      'gateway.yaml:4: models.a.deployments[0].provider: missing, expected one of pandotate, simulator',
    ],
    [
      model('provider: simulator\n        wait: 3'),
      'gateway.yaml:5: models.a.deployments[0].wait: is not a setting, expected provider, model, clocks, retries, retryDelayMs, billing, weight, price, baseline, contextTokens, maxOutputTokens, lowersMaxTokens, keepsBillingLine, tools, jsonSchema, vision, logprobs, inputsPerRequest',
    ],
    [
      model('provider: simulator\n        model: ""'),
      'gateway.yaml:5: models.a.deployments[0].model: found "", expected the name of a model at that provider, of at most 256 characters',
    ],
    [
      model('provider: simulator\n        clocks: { totalMs: 1s }'),
      'gateway.yaml:5: models.a.deployments[0].clocks.totalMs: found "1s", expected a whole number from 1 to 86400000',
    ],
    [
      model('provider: simulator\n        clocks: { total: 1 }'),
      'gateway.yaml:5: models.a.deployments[0].clocks.total: is not a setting, expected connectMs, firstTokenMs, idleMs, totalMs',
    ],
    [
      model('provider: simulator\n        retries: 11'),
      'gateway.yaml:5: models.a.deployments[0].retries: found 11, expected a whole number from 0 to 10',
    ],
    [
      model('provider: simulator\n        retryDelayMs: -1'),
      'gateway.yaml:5: models.a.deployments[0].retryDelayMs: found -1, expected a whole number from 0 to 60000',
    ],
    [
      `${model('provider: simulator')}    route: random\n`,
      'gateway.yaml:5: models.a.route: found "random", expected one of fallback, first, weighted, cheapest, fastest, balanced, value',
    ],
    [
      'models:\n  " llama-*": { deployments: [{ provider: simulator }] }\n',
      'gateway.yaml:2: models[" llama-*"]: is not a name that is allowed here, expected the name of a model, or a pattern with *, of at most 256 characters, without :floor or :nitro at its end',
    ],
    [
      'models:\n  "llama:floor": { deployments: [{ provider: simulator }] }\n',
      'gateway.yaml:2: models["llama:floor"]: is not a name that is allowed here, expected the name of a model, or a pattern with *, of at most 256 characters, without :floor or :nitro at its end',
    ],
    [
      'models:\n  "*:nitro": { deployments: [{ provider: simulator }] }\n',
      'gateway.yaml:2: models["*:nitro"]: is not a name that is allowed here, expected the name of a model, or a pattern with *, of at most 256 characters, without :floor or :nitro at its end',
    ],
    [
      'models:\n  m: { deployments: [{ provider: simulator }, { provider: simulator, model: m, weight: 2 }] }\n',
      'gateway.yaml:2: models.m.deployments[1].provider: found "simulator", expected: a provider or a model that differs from deployments[0]',
    ],
    [
      'models:\n  llama.*: { deployments: [{ provider: x }] }\n',
      'gateway.yaml:2: models["llama.*"].deployments[0].provider: found "x", expected one of pandotate, simulator',
    ],
  ])('%j', ([file, told]) => {
    expect(report(file)).toEqual([told].flat())
  })
})

describe('refused by a provider’s own schema', () => {
  test.for([
    ['region: us-1', 'region: found "us-1", expected: a region of the union'],
    ['pin: 1234', 'pin: found 1234, expected text'],
    ['pin: "1234"', 'pin: found "1234", expected text'],
    ['weight: -1', 'weight: found -1, expected a number above 0 or auto'],
    [
      'headers: { X_A: abcd }',
      'headers.X_A: is not a name that is allowed here, expected the name of a header',
    ],
    [
      'headers: { x-a: abc }',
      'headers["x-a"]: found a secret of 3 characters, expected text of at least 4 characters',
    ],
    ['headers: { x-a: 12 }', 'headers["x-a"]: found a number, expected text of at least 4 characters'],
    [
      'headers: [x]',
      'headers: found a list, expected a section, each entry under its name (`name: { ... }`, without a dash before it)',
    ],
    ['vault: { user: 3, words: [] }', 'vault.user: found a number, expected text'],
    ['vault: open', 'vault: found a secret of 4 characters, expected a section with user, words'],
  ])('%s', ([setting, told]) => {
    const file = `providers:\n  local:\n    type: openai-compatible\n    baseUrl: http://127.0.0.1/v1\n    ${setting}\n`
    expect(report(file)).toEqual([`gateway.yaml:5: providers.local.${told}`])
  })
})

test('all that is wrong is reported at once: the file from top to bottom, then the environment', () => {
  const file = `
models:
  a:
    deployments: [{ provider: lokal }]
providers:
  local:
    type: openai-compatible
    apiKey: \${LOCAL_KEY}
  other:
    type: nothing
strict: 1
`
  expect(refusal(() => load(file, { PORT: 'x', LOG_LEVEL: 'y' })).message).toBe(
    `The configuration has 7 problems.

  gateway.yaml:4: models.a.deployments[0].provider: found "lokal", expected one of pandotate, simulator, local, other; did you mean local?
  gateway.yaml:6: providers.local.baseUrl: missing, expected a URL that starts with http:// or https://
  gateway.yaml:8: providers.local.apiKey: found \${LOCAL_KEY}, expected the environment variable LOCAL_KEY to be set, or a default: \${LOCAL_KEY:-…}
  gateway.yaml:10: providers.other.type: found "nothing", expected ${types}
  gateway.yaml:11: strict: found 1, expected true or false
  environment: PORT: found "x", expected a whole number from 0 to 65535
  environment: LOG_LEVEL: found "y", expected one of trace, debug, info, warn, error, fatal, silent
`,
  )
})

test('one problem is reported in the singular', () => {
  expect(refusal(() => load('strict: 1')).message).toMatch(
    /^The configuration has a problem\.\n\n {2}gateway/,
  )
})

test('an unset variable is reported once, whatever the schema says of the place', () => {
  expect(
    report(
      `server: { port: "\${NO_PORT}" }\nproviders:\n  mine:\n    type: transformed\n    token: \${NO}\n`,
    ),
  ).toEqual([
    `gateway.yaml:1: server.port: found \${NO_PORT}, expected the environment variable NO_PORT to be set, or a default: \${NO_PORT:-…}`,
    `gateway.yaml:5: providers.mine.token: found \${NO}, expected the environment variable NO to be set, or a default: \${NO:-…}`,
  ])
})

test('a long text is shown shortened', () => {
  const [line] = report(`log: { level: ${'x'.repeat(500)} }`)
  expect(line).toContain(`found "${'x'.repeat(79)}…", expected`)
})

function model(deployment: string): string {
  return `models:\n  a:\n    deployments:\n      - ${deployment}\n`
}
