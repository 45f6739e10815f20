import { describe, expect, test } from 'vitest'
import { loadConfig, nearFiles } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'
import { onlyFile } from '../harness/only-file.ts'
import { refusal } from './load.ts'

const key = 'a-key-of-the-gateway'

/** With the providers that there are. */
function load(file: string, environment: Record<string, string> = {}) {
  const given = { GATEWAY_CONFIG: 'gateway.yaml', ...environment }
  return loadConfig({ environment: given, readFile: onlyFile(file), providers })
}

const up = "providers: { up: { type: openai-compatible, baseUrl: 'http://up.test/v1' } }\n"
const priced = (price: string) => `${up}models: { m: { deployments: [{ provider: up, price: ${price} }] } }`
const at = (url: string, more = '') =>
  `providers: { up: { type: openai-compatible, baseUrl: '${url}'${more} } }\nmodels: { m: { deployments: [{ provider: up }] } }`

describe('a configuration that is taken, with a warning', () => {
  test.for<[string, string, Record<string, string>, RegExp]>([
    ['an empty file', '', {}, /^gateway.yaml is empty or contains only comments/],
    ['a file of comments', '# auth: {}\n#   keys: []\n', {}, /only comments/],
    ['a file of blanks', '\n\n  \n', {}, /is empty/],
    ['an empty section', '{}', {}, /is empty/],
    [
      'PANDOTATE_APIKEY',
      up,
      { PANDOTATE_APIKEY: 'k' },
      /PANDOTATE_APIKEY is not read: did you mean PANDOTATE_API_KEY\?/,
    ],
    ['PANDOTATE_KEY', up, { PANDOTATE_KEY: 'k' }, /did you mean PANDOTATE_API_KEY\?/],
    ['PANDOTAE_API_KEY', up, { PANDOTAE_API_KEY: 'k' }, /did you mean PANDOTATE_API_KEY\?|PANDOTAE/],
    ['TOGETHER_KEY', up, { TOGETHER_KEY: 'k' }, /TOGETHER_KEY is not read: did you mean TOGETHER_API_KEY\?/],
    ['TOGETHER_APIKEY', up, { TOGETHER_APIKEY: 'k' }, /did you mean TOGETHER_API_KEY\?/],
    ['BASETEN_KEY', up, { BASETEN_KEY: 'k' }, /did you mean BASETEN_API_KEY\?/],
    ['RUNPOD_ENDPOINTID', up, { RUNPOD_ENDPOINTID: 'k' }, /did you mean RUNPOD_ENDPOINT_ID\?/],
    ['LOGLEVEL', up, { LOGLEVEL: 'debug' }, /did you mean LOG_LEVEL\?/],
    [
      'a URL with the path of chats',
      at('http://up.test/v1/chat/completions'),
      {},
      /baseUrl ends with \/chat\/completions/,
    ],
    ['the same with a slash', at('http://up.test/v1/chat/completions/'), {}, /ends with \/chat\/completions/],
    ['a URL with the path of models', at('http://up.test/v1/models'), {}, /ends with \/models/],
    ['a URL with the path of embeddings', at('http://up.test/v1/embeddings'), {}, /ends with \/embeddings/],
    ['a price without its output', priced('{ input: 1 }'), {}, /has input and no output/],
    [
      'a price per token',
      priced('{ input: 0.0000002, output: 0.0000006 }'),
      {},
      /is that a price per token\? Per million it is 0\.2\./,
    ],
    ['a price per token in a list', priced('[{ input: 0.0000002, output: 1 }]'), {}, /per token/],
    [
      'a provider without a key',
      'providers: { together: {} }\nmodels: { m: { deployments: [{ provider: together }] } }',
      {},
      /providers.together has no apiKey/,
    ],
  ])('%s', ([, file, environment, warning]) => {
    expect((load(file, environment).warnings ?? []).join('\n')).toMatch(warning)
  })

  test.for<[string, string, Record<string, string>]>([
    ['a plain file', at('http://up.test/v1'), {}],
    [
      'variables of others',
      up,
      { HOSTNAME: 'h', SHELL: 's', LOGNAME: 'n', PORTAL: 'x', TOGETHER_API_KEY: 'k', TOGETHER_KEY: 'k' },
    ],
    ['a whole price', priced('{ input: 1, output: 2 }'), {}],
    ['a free model', priced('{ input: 0, output: 0 }'), {}],
    ['a very cheap model', priced('{ input: 0.01, output: 0.02 }'), {}],
    ["a provider of one's own without a key", at('https://llm.internal/v1'), {}],
  ])('and no warning for %s', ([, file, environment]) => {
    expect(load(file, environment).warnings).toBeUndefined()
  })
})

describe('files of nearly the right name', () => {
  const found = (files: readonly string[], environment: Record<string, string> = {}) =>
    nearFiles(environment, (path) => files.includes(path)).join('\n')

  test.for([
    ['gateway.yml', /^gateway.yml is not read: name it gateway.yaml, or set --config or GATEWAY_CONFIG/],
    ['Gateway.yaml', /^Gateway.yaml is not read/],
    ['gateway.json', /^gateway.json is not read/],
    ['config.yaml', /^config.yaml is not read/],
    ['env', /^env is not read: name it \.env\.$/],
    ['.env.local', /^\.env\.local is not read/],
    ['.env.txt', /^\.env\.txt is not read/],
  ] as const)('%s', ([name, told]) => {
    expect(found([name])).toMatch(told)
  })

  test('are left alone beside the right ones, or where a file is named', () => {
    expect(found(['gateway.yml', 'gateway.yaml', '.env', '.env.local'])).toBe('')
    expect(found(['gateway.yml'], { GATEWAY_CONFIG: 'gateway.yml' })).toBe('')
    expect(found(['gateway.yml'], { GATEWAY_YAML: '{}' })).toBe('')
  })
})

describe('a configuration that is refused, with what to write', () => {
  test.for([
    ['a key twice', `${up}auth: { keys: [${key}, ${key}] }`],
    [
      'a key for callers and managers',
      `${up}auth: { keys: [${key}], adminKeys: [{ key: ${key}, role: read }] }`,
    ],
  ])('%s', ([, file]) => {
    const { message } = refusal(() => load(file ?? ''))
    expect(message).toContain('auth')
    expect(message).not.toContain(key)
  })

  const one = (place: string) => `${up}models: { m: { deployments: [{ provider: up, ${place} }] } }`
  test.for<[string, string, RegExp]>([
    [
      'a variable in a list without quotes',
      `auth: { keys: [\${A_KEY}] }`,
      /a \$\{NAME\} within \[ \] or \{ \} needs quotes/,
    ],
    ['a variable in a section without quotes', `log: { level: \${LEVEL} }`, /needs quotes: "\$\{NAME\}"/],
    [
      'a star without quotes',
      'models:\n  *:\n    deployments: []',
      /a name that begins with \* needs quotes: "\*"/,
    ],
    [
      'a pattern without quotes',
      'models:\n  *-large:\n    deployments: []',
      /a name that begins with \* needs quotes/,
    ],
    [
      'input with perSecond',
      priced('{ input: 1, perSecond: 2 }'),
      /found a section with input, perSecond, expected a section with input and output/,
    ],
    [
      'gpu with input',
      priced('{ gpu: H100, input: 1 }'),
      /found a section with gpu, input|found a section with input, gpu/,
    ],
    ['an empty price', priced('{}'), /found a section with none of them, expected a section with input/],
    [
      'models as a list',
      `${up}models: [{ name: m }]`,
      /models: found a list, expected a section, each entry under its name/,
    ],
    ['providers as a list', 'providers: [{ name: up }]', /providers: found a list, expected a section/],
    [
      'a merge key',
      `base: &a { provider: up }\n${up}models: { m: { deployments: [{ <<: *a }] } }`,
      /is a merge key, which is not supported here/,
    ],
    ['UTF-16', `\uFFFD\uFFFDs\0e\0r\0v\0e\0r\0`, /is not UTF-8 text, but probably UTF-16/],
    [
      'very deep brackets',
      `models: ${'['.repeat(5000)}${']'.repeat(5000)}`,
      /is nested 5000 levels deep, expected at most 64/,
    ],
    ['very deep lists', `models:\n  ${'- '.repeat(2000)}x`, /is nested \d+ levels deep/],
    ['server misspelt', 'sever: { port: 1 }', /sever: is not a setting.*did you mean server\?/],
    ['port misspelt', 'server: { prot: 1 }', /server.prot: is not a setting.*did you mean port\?/],
    ['host misspelt', 'server: { hots: x }', /did you mean host\?/],
    ['keys misspelt', `auth: { key: [${key}] }`, /auth.key: is not a setting.*did you mean keys\?/],
    [
      'baseUrl misspelt',
      "providers: { up: { type: openai-compatible, baseURL: 'http://x.test' } }",
      /baseURL: is not a setting.*did you mean baseUrl\?/,
    ],
    [
      'apiKey misspelt',
      'providers: { together: { apikey: abcdefgh } }',
      /apikey: is not a setting.*did you mean apiKey\?/,
    ],
    [
      'deployments misspelt',
      `${up}models: { m: { deployment: [{ provider: up }] } }`,
      /deployment: is not a setting.*did you mean deployments\?/,
    ],
    [
      'provider misspelt',
      `${up}models: { m: { deployments: [{ providr: up }] } }`,
      /providr: is not a setting.*did you mean provider\?/,
    ],
    [
      "a provider's name misspelt",
      `${up}models: { m: { deployments: [{ provider: pandotat }] } }`,
      /did you mean pandotate\?/,
    ],
    [
      'a strategy misspelt',
      `${up}models: { m: { route: cheepest, deployments: [{ provider: up }] } }`,
      /did you mean cheapest\?/,
    ],
    ['retries misspelt', one('retrys: 1'), /did you mean retries\?/],
    ['weight misspelt', one('wieght: 1'), /did you mean weight\?/],
    ['a clock misspelt', one('clocks: { totalMS: 1 }'), /did you mean totalMs\?/],
    ['a level misspelt', 'log: { level: inf }', /did you mean info\?/],
    ['a limit misspelt', 'limits: { bodybytes: 1 }', /did you mean bodyBytes\?/],
    ['cache misspelt', 'cahce: { enabled: true }', /did you mean cache\?/],
    ['drain misspelt', 'drian: {}', /did you mean drain\?/],
  ])('%s', ([, file, told]) => {
    const { lines } = refusal(() => load(file))
    expect(lines.join('\n')).toMatch(told)
  })

  test('a misspelt `providers` is one problem, whatever depends on it', () => {
    const file = `provders: { up: { type: openai-compatible, baseUrl: 'http://x.test' } }
models:
  a: { deployments: [{ provider: up }] }
  b: { deployments: [{ provider: up }, { provider: up }] }
`
    expect(refusal(() => load(file)).lines).toHaveLength(1)
  })
})
