import { expect, test } from 'vitest'
import { createPriceBook } from '../../../src/catalog/price-book.ts'
import { type CurrentPrices, describeConfig } from '../../../src/config.ts'
import { unknownPrice } from '../../../src/core/model/price.ts'
import { loadBoth, testProviders } from '../load.ts'

test('what a configuration comes to, in a text', () => {
  const config = loadBoth(
    `
server: { host: '::', port: 8080 }
auth: { keys: [the-first-key-of-two, the-other-key-of-two] }
strict: true
providers:
  local:
    type: openai-compatible
    baseUrl: http://127.0.0.1:8080/v1
    headers: { x-team: blue-team, x-key: a-long-secret-text }
    vault: { user: someone-or-other, words: [open, sesame] }
  mine:
    type: transformed
    token: a-token-of-length
models:
  llama-3:
    deployments:
      - provider: local
        model: llama-3-8b
        retries: 0
      - provider: pandotate
        clocks: { totalMs: 9000 }
  '*':
    route: first
    deployments: [{ provider: simulator }]
`,
    { PANDOTATE_API_KEY: 'pk_0123456789ab12' },
  )
  expect(describeConfig(config, testProviders)).toBe(`\
gateway.yaml: settings that differ from the defaults (--all prints every setting)
Management requires a key in auth.adminKeys, and there is none.

server.host                        ::
server.port                        8080
auth.keys                          …-two, …-two
strict                             true
providers.pandotate.apiKey         …ab12
providers.local.type               openai-compatible
providers.local.baseUrl            http://127.0.0.1:8080/v1
providers.local.headers["x-team"]  …
providers.local.headers["x-key"]   …text
providers.local.vault              user …ther, words …, …
providers.mine.type                transformed
providers.mine.token               …ngth

routes     strategy  provider      model there   weight  USD per million tokens  source  timeouts and retries
  llama-3  fallback  1. local      llama-3-8b            unknown                         retries 0
                     2. pandotate  as requested          unknown                         totalMs 9000
  *        first     1. simulator  as requested          by model`)
})

test('every setting, by the name that it has in gateway.yaml, where all are asked for', () => {
  const config = loadBoth(
    'server: { port: 8080 }\nproviders: { mine: { type: transformed, token: a-token-of-length } }',
  )
  const text = describeConfig(config, testProviders, { isWhole: true })
  const told = [...text.matchAll(/^(\S+) {2,}(\S.*)$/gm)].map(([, place, value]) => [place, value])
  expect(Object.fromEntries(told)).toMatchObject({
    'server.host': '127.0.0.1',
    'server.port': '8080',
    'server.tls.cert': 'not set',
    'auth.keys': 'none',
    'limits.bodyBytes': '26214400',
    'drain.delayMs': '0',
    dataDirectory: 'data',
    'routes.listed': 'true',
    'providers.pandotate.clocks.connectMs': '5000',
    'providers.pandotate.apiKey': 'not set',
    'providers.mine.header': '…ngth',
    'providers.mine.attempts': '3',
  })
  expect(text).toMatch(/\nThe catalogue is dated \d{4}-\d\d-\d\d \(as shipped\)\.\n/)
})

test('a setting that is written as its default is, is none that differs', () => {
  const text = describeConfig(
    loadBoth('server: { port: 8000 }\nlog: { level: info }\ncache: { ttlMs: 7 }'),
    testProviders,
  )
  expect(text).not.toMatch(/server|log\./)
  expect(text).toContain('\ncache.ttlMs  7')
})

test('a key in a list is masked, be it alone or beside what it may do', () => {
  const text = describeConfig(
    loadBoth('auth: { keys: [the-first-key-of-two, { key: the-other-key-there, name: team }] }'),
    testProviders,
  )
  expect(text).toMatch(/\nauth\.keys\[0\] +…-two\nauth\.keys\[1\]\.key +…here\nauth\.keys\[1\]\.name +team/)
})

test('the demo says that it is one, and that nobody is asked for a key', () => {
  const text = describeConfig(loadBoth(undefined), testProviders)
  expect(text).toBe(`\
no file: every setting has its default (--all prints them)
Nothing is configured, so the simulator answers.
No key is required: every caller may use and manage the gateway.`)
  expect(describeConfig(loadBoth(undefined), testProviders, { isWhole: true })).toMatch(
    /\n {2}\* {5}first {5}1\. pandotate .*\n {18}2\. simulator {2}as requested {10}by model/,
  )
})

test('what models cost is reported: by the operator, by a list, or not at all', () => {
  const config = loadBoth(`
models:
  a:
    route: weighted
    deployments:
      - provider: pandotate
        weight: 0.5
        price: { input: 0.1, cachedInput: '0.02', output: 12, perRequest: 0 }
      - provider: simulator
        baseline: true
        price: { perSecond: 0.00112 }
      - { provider: pandotate, model: listed }
      - { provider: pandotate, model: shipped }
      - { provider: pandotate, model: rumoured }
  b*:
    deployments:
      - { provider: pandotate, price: { output: 1 } }
      - { provider: pandotate, model: nowhere }
      - { provider: pandotate, model: shipped, price: [{ from: 2026-12-01, input: 2 }, { input: 3 }] }
  c*:
    deployments:
      - { provider: pandotate }
      - { provider: pandotate, model: shipped, price: [{ from: 2026-11-01, input: 2 }] }
  d*:
    deployments:
      - { provider: pandotate, model: shipped, price: [{ from: 2026-12-01, input: 2 }, { from: 2027-01-01, input: 3 }] }
      - { provider: pandotate, price: [{ from: 2026-12-01, input: 2 }] }
`)
  const entry = {
    ...{ provider: 'pandotate', sources: ['test'], from: '2026-08-21' },
    price: { input: '0.88' },
  }
  const book = createPriceBook({
    models: [
      { ...entry, model: 'shipped' },
      { ...entry, model: 'rumoured', firm: false },
    ],
    hardware: [],
    sources: { test: { name: 'a test', url: 'https://a.example/', readAt: '2026-11-20', firstHand: true } },
  })
  const epochMs = Date.parse('2026-11-23T12:00:00Z')
  const price = { ...unknownPrice, inputNanoUsdPerMillion: 7e8 }
  book.refresh('pandotate', [{ id: 'listed', contextTokens: undefined, price }], epochMs)
  const prices: CurrentPrices = {
    find: ({ name, type }, asked) => book.find({ ...asked, provider: { name, type, list: type } }, epochMs),
    epochMs,
  }
  const text = describeConfig(config, testProviders, { prices, isWhole: true })
  const rows = text.slice(text.indexOf('\nroutes ')).trim().split('\n').slice(1)
  expect(rows.map((row) => row.trim().split(/ {2,}/).slice(0, 7))).toEqual([
    [
      'a',
      'weighted',
      '1. pandotate',
      'as requested',
      '0.5',
      '0.1 in, 0.02 cached, 12 out, 0 per request',
      'own',
    ],
    ['2. simulator (baseline)', 'as requested', '1', '0.00112 per second', 'own'],
    ['3. pandotate', 'listed', '1', '0.7 in', 'listed 2026-11-23', clocksCell],
    ['4. pandotate', 'shipped', '1', '0.88 in', 'shipped 2026-08-21, not confirmed', clocksCell],
    ['5. pandotate', 'rumoured', '1', '0.88 in', 'shipped 2026-08-21, not confirmed', clocksCell],
    ['b*', 'fallback', '1. pandotate', 'as requested', '1 out', 'own', clocksCell],
    ['2. pandotate', 'nowhere', 'unknown', clocksCell],
    ['3. pandotate', 'shipped', '3 in', 'own, another from 2026-12-01', clocksCell],
    ['c*', 'fallback', '1. pandotate', 'as requested', 'by model', clocksCell],
    ['2. pandotate', 'shipped', '2 in', 'own 2026-11-01', clocksCell],
    [
      'd*',
      'fallback',
      '1. pandotate',
      'shipped',
      '0.88 in',
      'shipped 2026-08-21, not confirmed, own from 2026-12-01',
      clocksCell,
    ],
    ['2. pandotate', 'as requested', 'by model', 'own from 2026-12-01', clocksCell],
  ])
})

const clocksCell =
  'connectMs 5000, firstTokenMs 30000, idleMs 30000, totalMs 30000, retries 1, retryDelayMs 200'
