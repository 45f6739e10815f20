import { expect, test } from 'vitest'
import { createPriceBook } from '../../../src/catalog/price-book.ts'
import { describeConfig } from '../../../src/config.ts'
import { unknownPrice } from '../../../src/core/model/price.ts'
import { load, testProviders } from '../load.ts'

test('what a configuration comes to, in a text', () => {
  const config = load(
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
listening  http://[::]:8080
proxies    none
file       gateway.yaml
auth       on: 2 keys (…-two, …-two)
managing   closed: there are no keys in auth.adminKeys
cors       off
log        info
slow       above 1500 ms
strict     yes
answers    name the model as requested
limits     bodyBytes 26214400, jsonDepth 64, jsonNodes 100000, deadlineMs 600000, fanOut 8, choices 256, retryShare 0.2, inFlight 2048, inFlightBytes 536870912, connections 16384, connectionsPerAddress 4096, loopDelayMs 200, heapShare 0.9, writeStallMs 30000, keepaliveMs 10000, heartbeatMs 90000
continues  yes
cache      off
drain      delayMs 5000, graceMs 25000
hedging    off
breaker    failures 5, failureRate 0.5, minimumCalls 20, windowMs 30000, openMs 2000, longestOpenMs 4000, trialMs 5000
coalesce   no
replays    on: ttlMs 600000, maxEntries 1000, maxBytes 67108864
sticky     yes
catalog    of 2026-11-29, as shipped; providers' lists every 4 h; prices are firm for 45 days
data       data
ledger     on: spoolBytes 1073741824, keepCallsDays 90, keepRollupsDays 731
probes     off

providers
  pandotate
    url           https://api.pandotate.com/api/inference
    apiKey        …ab12
    clocks        connectMs 5000, firstTokenMs 30000, idleMs 30000, totalMs 30000
    retries       1
    retryDelayMs  200
    promptFormat  auto
    bos           false
  simulator
    no settings
  local (openai-compatible)
    baseUrl  http://127.0.0.1:8080/v1
    apiKey   not set
    headers  x-team …, x-key …text
    region   not set
    pin      not set
    weight   auto
    vault    user …ther, words …, …
  mine (transformed)
    token     …ngth
    label     none
    header    …ngth
    attempts  3

routes     strategy  provider      model there   weight  USD per million tokens  source  clocks and retries
  llama-3  fallback  1. local      llama-3-8b            unknown                         retries 0
                     2. pandotate  as asked for          unknown                         connectMs 5000, firstTokenMs 30000, idleMs 30000, totalMs 9000, retries 1, retryDelayMs 200
  *        first     1. simulator  as asked for          by model`)
})

test('the demo says that it is one, and that nobody is asked for a key', () => {
  const text = describeConfig(load(undefined), testProviders)
  expect(text).toContain('file       none\ndemo       nothing is configured: the simulator answers\n')
  expect(text).toContain('auth       off: every caller is served\n')
  expect(text).toContain('\n    apiKey        not set\n')
  expect(text).toMatch(
    /\n {2}\* {5}first {5}1\. pandotate .*\n {18}2\. simulator {2}as asked for {10}by model$/,
  )
})

test('one key is told in the singular', () => {
  expect(describeConfig(load('auth: { keys: [the-only-key-there] }'), testProviders)).toContain(
    'auth       on: 1 key (…here)\n',
  )
})

test('what models cost is told: by the operator, by a list, or not at all', () => {
  const config = load(`
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
  const text = describeConfig(config, testProviders, {
    find: ({ name, type }, asked) => book.find({ ...asked, provider: { name, type, list: type } }, epochMs),
    epochMs,
  })
  const rows = text.slice(text.indexOf('\nroutes')).trim().split('\n').slice(1)
  expect(rows.map((row) => row.trim().split(/ {2,}/).slice(0, 7))).toEqual([
    [
      'a',
      'weighted',
      '1. pandotate',
      'as asked for',
      '0.5',
      '0.1 in, 0.02 cached, 12 out, 0 per request',
      'own',
    ],
    ['2. simulator (baseline)', 'as asked for', '1', '0.00112 per second', 'own'],
    ['3. pandotate', 'listed', '1', '0.7 in', 'listed 2026-11-23', clocksCell],
    ['4. pandotate', 'shipped', '1', '0.88 in', 'shipped 2026-08-21, not confirmed', clocksCell],
    ['5. pandotate', 'rumoured', '1', '0.88 in', 'shipped 2026-08-21, not confirmed', clocksCell],
    ['b*', 'fallback', '1. pandotate', 'as asked for', '1 out', 'own', clocksCell],
    ['2. pandotate', 'nowhere', 'unknown', clocksCell],
    ['3. pandotate', 'shipped', '3 in', 'own, another from 2026-12-01', clocksCell],
    ['c*', 'fallback', '1. pandotate', 'as asked for', 'by model', clocksCell],
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
    ['2. pandotate', 'as asked for', 'by model', 'own from 2026-12-01', clocksCell],
  ])
})

test('the cache is told when it is on, and what else is not as usual', () => {
  const text = describeConfig(
    load(
      'cache: { enabled: true, ttlMs: 9, everyCall: true }\ncoalesce: true\nidempotency: { enabled: false }\nstickiness: false\ncatalog: { lists: false, maxPriceAgeDays: 7 }\nprobes: { enabled: true }',
    ),
    testProviders,
  )
  expect(text).toContain('cache      on: ttlMs 9, maxEntries 1000, maxBytes 67108864, every call\n')
  expect(text).toContain('\nprobes     on: intervalMs 30000, timeoutMs 5000\n')
  expect(text).toMatch(
    /\ncoalesce {3}yes\nreplays {4}off\nsticky {5}no\ncatalog {4}of [-0-9]+, as shipped; no lists are asked for; prices are firm for 7 days\n/,
  )
})

const clocksCell =
  'connectMs 5000, firstTokenMs 30000, idleMs 30000, totalMs 30000, retries 1, retryDelayMs 200'
