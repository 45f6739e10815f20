// biome-ignore-all lint/suspicious/noTemplateCurlyInString: gateway.yaml's own substitution is written so.

import { describe, expect, test } from 'vitest'
import { shippedCatalog } from '../src/catalog/shipped.ts'
import { loadConfig } from '../src/config.ts'
import { noTenants } from '../src/tenants/settings.ts'
import { load, refusal, report, testProviders } from './config/load.ts'
import { noTracing } from './harness/gateway.ts'
import { onlyFile } from './harness/only-file.ts'

const clocks = { connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 30_000 }

const pandotateDefaults = {
  url: 'https://api.pandotate.com/api/inference',
  clocks,
  retries: 1,
  retryDelayMs: 200,
  promptFormat: 'auto',
  bos: false,
}

const everyModelAtPandotate = {
  routes: [{ pattern: '*', strategy: 'fallback', deployments: [{ provider: 'pandotate' }] }],
  demo: false,
}

test.for<[string, string, object]>([
  ['0 where only this machine can reach it', '', { delayMs: 0, graceMs: 25_000 }],
  ['5 s where others can', 'server: { host: "::", allowUnauthenticated: true }', { delayMs: 5000 }],
  ['what is written', 'drain: { delayMs: 9, graceMs: 10 }', { delayMs: 9, graceMs: 10 }],
])('load balancers are given %s to notice that it stops', ([, file, drain]) => {
  expect(load(file).drain).toMatchObject(drain)
})

test('without any configuration it is the demo: every setting has its default', () => {
  expect(load(undefined)).toEqual({
    origins: expect.anything(),
    host: '127.0.0.1',
    port: 8000,
    allowUnauthenticated: false,
    allowedHosts: [],
    trustProxy: 0,
    workers: 1,
    answerModel: 'requested',
    breaker: {
      failureRate: 0.5,
      failures: 5,
      longestOpenMs: 4000,
      minimumCalls: 20,
      openMs: 2000,
      trialMs: 5000,
      windowMs: 30_000,
    },
    keys: [],
    adminKeys: [],
    tenants: noTenants,
    acceptWider: false,
    cors: { origins: [] },
    logLevel: 'info',
    slowThresholdMs: 1500,
    strict: false,
    cache: { enabled: false, ttlMs: 300_000, maxEntries: 1000, maxBytes: 67_108_864, everyCall: false },
    drain: { delayMs: 0, graceMs: 25_000 },
    hedging: { enabled: false, share: 0.05 },
    coalesce: false,
    console: { enabled: true },
    idempotency: { enabled: true, ttlMs: 600_000, maxEntries: 1000, maxBytes: 67_108_864 },
    responses: { keep: 'store', ttlMs: 86_400_000, maxEntries: 10_000, maxBytes: 134_217_728 },
    stickiness: true,
    catalog: {
      ...{ data: shippedCatalog(), file: undefined, lists: true },
      ...{ everyMs: 14_400_000, maxPriceAgeDays: 45 },
    },
    dataDirectory: 'data',
    isDataDirectoryGiven: false,
    ledger: {
      enabled: true,
      durability: 'process',
      spoolBytes: 1_073_741_824,
      keepCallsDays: 90,
      keepRollupsDays: 731,
    },
    shared: {
      ...{ onLoss: 'local', leasePercent: 20, goneAfterMs: 15_000 },
      redis: { mode: 'single', sentinelName: 'mymaster', prefix: 'pandotate', timeoutMs: 100 },
    },
    probes: { enabled: false, intervalMs: 30_000, timeoutMs: 5000 },
    tracing: noTracing,
    limits: {
      bodyBytes: 26_214_400,
      jsonDepth: 64,
      jsonNodes: 100_000,
      deadlineMs: 600_000,
      fanOut: 8,
      choices: 256,
      continueStreams: true,
      retryShare: 0.2,
      inFlight: 2048,
      inFlightBytes: 536_870_912,
      connections: 16_384,
      connectionsPerAddress: 4096,
      loopDelayMs: 200,
      heapShare: 0.9,
      writeStallMs: 30_000,
      keepaliveMs: 10_000,
      heartbeatMs: 90_000,
    },
    providers: [
      { name: 'pandotate', type: 'pandotate', settings: pandotateDefaults },
      { name: 'simulator', type: 'simulator', settings: {} },
    ],
    routes: [
      {
        pattern: '*',
        strategy: 'first',
        deployments: [{ provider: 'pandotate' }, { provider: 'simulator' }],
      },
    ],
    routing: { isDefault: true, listed: true, successors: false },
    demo: true,
    stated: [],
    source: undefined,
  })
})

describe('every model goes to Pandotate', () => {
  test.for<[string, string | undefined, Record<string, string>]>([
    ['with its key in the environment', undefined, { PANDOTATE_API_KEY: 'pk_test' }],
    ['with its address in the environment', undefined, { PANDOTATE_URL: 'http://127.0.0.1:9/api' }],
    ['with an empty file', '', {}],
    ['with a file of comments', '# nothing\n', {}],
    ['with a file whose sections are commented out', 'models:\n#  a:\nserver:\nproviders:\n', {}],
    ['with a file of other providers', providerSection('http://127.0.0.1:8080/v1'), {}],
  ])('%s', ([, file, environment]) => {
    expect(load(file, environment)).toMatchObject(everyModelAtPandotate)
  })
})

test.for(['PANDOTATE_API_KEY', 'PANDOTATE_URL', 'PORT', 'GATEWAY_CONFIG', 'PANDOTATE_TIMEOUT'])(
  'an empty %s is as good as none',
  (name) => {
    expect(load(undefined, { [name]: '' })).toEqual(load(undefined))
  },
)

test.for([{ PORT: '9000' }, { PANDOTATE_TIMEOUT: '5' }, { LOG_LEVEL: 'debug' }])(
  'it stays the demo with no more than %o',
  (environment) => {
    expect(load(undefined, environment).demo).toBe(true)
  },
)

test('the environment sets what it names', () => {
  const config = load(undefined, {
    PANDOTATE_URL: 'http://127.0.0.1:9/api',
    PANDOTATE_API_KEY: 'pk_test',
    PANDOTATE_TIMEOUT: '2.5',
    PANDOTATE_RETRIES: '0',
    PANDOTATE_RETRY_DELAY_MS: '7',
    SLOW_THRESHOLD_MS: '0',
    HOST: 'localhost',
    PORT: '0',
    LOG_LEVEL: 'silent',
  })
  expect(config).toMatchObject({ host: 'localhost', port: 0, logLevel: 'silent', slowThresholdMs: 0 })
  expect(config.providers[0]?.settings).toEqual({
    ...pandotateDefaults,
    url: 'http://127.0.0.1:9/api',
    apiKey: 'pk_test',
    clocks: { connectMs: 5000, firstTokenMs: 2500, idleMs: 2500, totalMs: 2500 },
    retries: 0,
    retryDelayMs: 7,
  })
})

describe('a setting that the file and the environment both give', () => {
  const file = `
server: { host: ::1, port: 1 }
log: { level: warn }
slowThresholdMs: 1
providers:
  pandotate:
    url: http://file.test/
    apiKey: from-the-file
    clocks: { connectMs: 1, firstTokenMs: 2, totalMs: 3 }
    retries: 4
    retryDelayMs: 5
`
  test('is the environment’s, and the rest stays the file’s', () => {
    const config = load(file, { PORT: '2', PANDOTATE_TIMEOUT: '60', PANDOTATE_API_KEY: 'from-outside' })
    expect(config).toMatchObject({ host: '::1', port: 2, logLevel: 'warn', slowThresholdMs: 1 })
    expect(config.providers[0]?.settings).toEqual({
      ...pandotateDefaults,
      url: 'http://file.test/',
      apiKey: 'from-outside',
      clocks: { connectMs: 1, firstTokenMs: 2, idleMs: 60_000, totalMs: 60_000 },
      retries: 4,
      retryDelayMs: 5,
    })
  })

  test.for([
    ['HOST', 'localhost', 'host'],
    ['LOG_LEVEL', 'error', 'logLevel'],
    ['WORKERS', 'auto', 'workers'],
  ] as const)('is the environment’s: %s', ([name, value, setting]) => {
    expect(load(file, { [name]: value })[setting]).toBe(value)
  })
})

test('models in the file are exactly the routes', () => {
  const config = load(`
providers:
  local:
    type: openai-compatible
    baseUrl: http://127.0.0.1:8080/v1
    headers: { x-team: blue-team }
models:
  org/llama-3:
    deployments:
      - provider: local
        model: llama-3-8b
        clocks: { idleMs: 5 }
        retries: 0
        retryDelayMs: 9
      - provider: pandotate
  1.10:
    route: first
    deployments: [{ provider: simulator }]
`)
  expect(config.demo).toBe(false)
  expect(config.source).toBe('gateway.yaml')
  expect(config.routes).toEqual([
    {
      pattern: 'org/llama-3',
      strategy: 'fallback',
      deployments: [
        { provider: 'local', model: 'llama-3-8b', clocks: { idleMs: 5 }, retries: 0, retryDelayMs: 9 },
        { provider: 'pandotate' },
      ],
    },
    { pattern: '1.10', strategy: 'first', deployments: [{ provider: 'simulator' }] },
  ])
  expect(config.providers.map(({ name, type }) => [name, type])).toEqual([
    ['pandotate', 'pandotate'],
    ['simulator', 'simulator'],
    ['local', 'openai-compatible'],
  ])
  expect(config.providers[2]?.settings).toEqual({
    baseUrl: 'http://127.0.0.1:8080/v1',
    headers: { 'x-team': 'blue-team' },
    weight: 'auto',
  })
})

test('settings are what the provider’s schema makes of them', () => {
  const config = load('providers:\n  mine:\n    type: transformed\n    token: abcd\n')
  expect(config.providers.at(-1)).toEqual({
    name: 'mine',
    type: 'transformed',
    settings: { token: 'abcd', label: 'none', header: 'Bearer abcd', attempts: 3 },
  })
})

test('text becomes the number or the boolean that belongs there, and stays text where text does', () => {
  const config = load(
    `server:\n  port: \${PORT_OF_MINE}\n  allowUnauthenticated: \${OPEN:-true}\nauth:\n  keys:\n    - \${DIGITS}\n`,
    { PORT_OF_MINE: '9000', DIGITS: '1234567890123456' },
  )
  expect(config).toMatchObject({ port: 9000, allowUnauthenticated: true, keys: ['1234567890123456'] })
})

test.for([
  ['2.5', 2.5],
  ['auto', 'auto'],
] as const)('where a number or a word belongs, %j is %j', ([text, weight]) => {
  const config = load(`${providerSection('http://127.0.0.1/v1')}    weight: "${text}"\n`)
  expect(config.providers[2]?.settings).toMatchObject({ weight })
})

test('an anchor can be used again', () => {
  const { routes } = load(`
models:
  a:
    deployments: &both
      - provider: pandotate
      - provider: simulator
  b:
    deployments: *both
`)
  expect(routes[1]?.deployments).toEqual(routes[0]?.deployments)
})

describe('the file', () => {
  test('is the one that GATEWAY_CONFIG names', () => {
    const config = loadConfig({
      environment: { GATEWAY_CONFIG: 'other.yaml' },
      readFile: (path) => onlyFile(path === 'other.yaml' ? 'strict: true' : 'strict: 3')(path),
      providers: testProviders,
    })
    expect(config).toMatchObject({ strict: true, source: 'other.yaml' })
  })

  test('must be there when it is named', () => {
    expect(report(undefined, { GATEWAY_CONFIG: 'none.yaml' })).toEqual([
      'environment: GATEWAY_CONFIG: found "none.yaml", expected the path of a file that can be read (ENOENT)',
    ])
  })

  test('is a problem when it is there and cannot be read', () => {
    const readFile = (path: string) => {
      throw Object.assign(new Error('denied'), { code: path.endsWith('.yaml') ? 'EACCES' : 'ENOENT' })
    }
    const load = () => loadConfig({ environment: { PORT: 'x' }, readFile, providers: testProviders })
    expect(refusal(load).problems.map(({ source, message }) => [source, message])).toEqual([
      ['gateway.yaml', 'cannot be read (EACCES)'],
      ['environment', 'found "x", expected a whole number from 0 to 65535'],
    ])
  })

  test('leaves a bug in reading it a bug', () => {
    const readFile = () => {
      throw new TypeError('a bug')
    }
    expect(() => loadConfig({ environment: {}, readFile, providers: testProviders })).toThrow(TypeError)
  })
})

describe('listening beyond this machine without keys', () => {
  const safer =
    'expected a loopback address (127.0.0.1, ::1, localhost), or keys in auth.keys, or server.allowUnauthenticated: true'

  test.for([
    '0.0.0.0',
    '::',
    '192.168.1.5',
    '10.0.0.127',
    'example.com',
    '127.evil.test',
    '127.1',
    '::ffff:127.0.0.1',
  ])('is refused: %s', (host) => {
    expect(report(undefined, { HOST: host })).toEqual([`environment: HOST: found "${host}", ${safer}`])
    expect(report(`server:\n  host: '${host}'\n`)).toEqual([
      `gateway.yaml:2: server.host: found "${host}", ${safer}`,
    ])
  })

  test.for(['127.0.0.1', '127.9.8.7', '::1', 'localhost', 'LOCALHOST'])('is no matter at %s', (host) => {
    expect(load(undefined, { HOST: host }).host).toBe(host)
  })

  test('is allowed with a key', () => {
    expect(load('auth: { keys: [a-key-of-16-chars] }', { HOST: '0.0.0.0' }).host).toBe('0.0.0.0')
  })

  test('is allowed in so many words', () => {
    expect(load('server: { allowUnauthenticated: true }', { HOST: '0.0.0.0' }).host).toBe('0.0.0.0')
  })

  test('is reported beside other problems', () => {
    expect(report('strict: 3', { HOST: '0.0.0.0' })).toEqual([
      'gateway.yaml:1: strict: found 3, expected true or false',
      `environment: HOST: found "0.0.0.0", ${safer}`,
    ])
  })

  test('is not told while the keys themselves are wrong, or the file cannot be read', () => {
    expect(report('auth: { keys: [short] }', { HOST: '0.0.0.0' })).toEqual([
      'gateway.yaml:1: auth.keys[0]: found a secret of 5 characters, expected at least 16 characters of printable ASCII, no spaces or a section with key, name, owner, expiresAt, team, disabled, models, providers, budgets, rpm, tpm, concurrency, tags, strategy',
    ])
    expect(report('auth: { keys: [', { HOST: '0.0.0.0' })).toHaveLength(1)
  })
})

function providerSection(baseUrl: string): string {
  return `providers:\n  local:\n    type: openai-compatible\n    baseUrl: ${baseUrl}\n`
}
