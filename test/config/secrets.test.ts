// biome-ignore-all lint/suspicious/noTemplateCurlyInString: gateway.yaml's own substitution is written so.
import { describe, expect, test } from 'vitest'
import { masked, withoutCredentials } from '../../src/config/report/error-text.ts'
import { ConfigError, describeConfig } from '../../src/config.ts'
import { loadBoth, testProviders } from './load.ts'

// The whole of a secret must not be shown, nor its beginning.
const canary = 'canary-7f3a9e-ab12'

/** Everything a configuration prints: its description, or the report it is refused with. */
function printed(file: string | undefined, environment: Record<string, string>): string {
  try {
    const config = loadBoth(file, environment)
    return describeConfig(config, testProviders) + describeConfig(config, testProviders, { isWhole: true })
  } catch (thrown) {
    if (thrown instanceof ConfigError) return `${thrown.message}${thrown.stack}${JSON.stringify(thrown)}`
    throw thrown
  }
}

const local = `providers:\n  local:\n    type: openai-compatible\n    baseUrl: http://127.0.0.1/v1\n`

describe('a secret is not printed', () => {
  test.for<[string, string]>([
    ['a gateway key', `auth: { keys: [${canary}] }`],
    ['a gateway key with a space', `auth: { keys: ["${canary} x"] }`],
    ['a gateway key where the list belongs', `auth: { keys: ${canary} }`],
    ['a gateway key where the section belongs', `auth: ${canary}`],
    ['gateway keys in a list where the section belongs', `auth: [${canary}]`],
    ['a gateway key in a section where a text belongs', `auth: { keys: [{ key: ${canary} }] }`],
    ['a gateway key in a list where a text belongs', `auth: { keys: [[${canary}]] }`],
    ['the whole file', canary],
    ['a key of Pandotate', `providers: { pandotate: { apiKey: ${canary} } }`],
    ['a key of Pandotate where the section belongs', `providers: { pandotate: ${canary} }`],
    ['a key where the providers belong', `providers: ${canary}`],
    ['a key where a provider belongs', `providers: { local: ${canary} }`],
    ['a key in a list', `providers: { pandotate: { apiKey: [${canary}] } }`],
    ['a key in a section', `providers: { pandotate: { apiKey: { value: ${canary} } } }`],
    ['a setting that is none', `providers: { pandotate: { api_key: ${canary} } }`],
    ['a provider’s key', `${local}    apiKey: ${canary}\n`],
    ['a header', `${local}    headers: { x-key: ${canary} }\n`],
    ['a header with a bad name', `${local}    headers: { X_KEY: ${canary} }\n`],
    ['a header where the section belongs', `${local}    headers: ${canary}\n`],
    ['a text below a secret', `${local}    vault: { user: ${canary}, words: [${canary}] }\n`],
    ['a text where a secret section belongs', `${local}    vault: ${canary}\n`],
    [
      'a value that the schema’s author quotes',
      `${local}    vault: { user: [${canary}], words: ${canary} }\n`,
    ],
    ['a user in a URL', `providers: { pandotate: { url: "http://${canary}@a.test/" } }`],
    ['a password in a URL', `providers: { pandotate: { url: "http://u:${canary}@a.test/" } }`],
    ['a query of a URL', `providers: { pandotate: { url: "http://a.test/?key=${canary}" } }`],
    ['a password in what is no URL', `providers: { pandotate: { url: "ftp://u:${canary}@a.test/" } }`],
    ['settings that are transformed', `providers: { mine: { type: transformed, token: ${canary} } }`],
    ['text that is not YAML', `auth:\n  keys: [${canary}\nx: "`],
    ['a broken quote', `auth: { keys: ["${canary}] }`],
    ['a ${ in a key', `auth:\n  keys:\n    - ${canary}-\${oops\n`],
    ['an unknown variable in a key', `auth:\n  keys:\n    - ${canary}-\${NONE}\n`],
    ['a default', `auth:\n  keys:\n    - \${NONE:-${canary}}\n`],
    ['an anchored key', `auth: { keys: [&a ${canary}] }\nproviders: { pandotate: { apiKey: *a } }`],
  ])('%s', ([, file]) => {
    for (const environment of [{}, { PORT: 'x' }] as const) {
      const text = printed(file, environment)
      expect(text.length).toBeGreaterThan(20)
      expect(text).not.toContain(canary.slice(0, -4))
    }
  })

  test.for<[string, string | undefined, Record<string, string>]>([
    ['PANDOTATE_API_KEY', undefined, { PANDOTATE_API_KEY: canary }],
    [
      'PANDOTATE_API_KEY over a file that is wrong there',
      'providers: { pandotate: 3 }',
      { PANDOTATE_API_KEY: canary },
    ],
    ['a password in PANDOTATE_URL', undefined, { PANDOTATE_URL: `ftp://u:${canary}@a.test/` }],
    ['a variable in a key', 'auth:\n  keys:\n    - ${KEY}\n', { KEY: canary }],
    [
      'a variable in a key that is then too short',
      'auth:\n  keys:\n    - ${KEY}\n',
      { KEY: canary.slice(0, 14) },
    ],
  ])('%s', ([, file, environment]) => {
    for (const more of [{}, { PORT: 'x' }] as const) {
      expect(printed(file, { ...environment, ...more })).not.toContain(canary.slice(0, -4))
    }
  })
})

test.for<[string, string]>([
  ['', '…'],
  ['short', '…'],
  ['123456789012', '…'],
  ['1234567890123', '…0123'],
])('%j is masked as %j', ([secret, shown]) => {
  expect(masked(secret)).toBe(shown)
})

test.for<[string, string]>([
  ['http://a.test/b?c', 'http://a.test/b?c'],
  ['http://u@a.test/', 'http://…@a.test/'],
  ['http://u:p@w@a.test/x@y', 'http://…@a.test/x@y'],
  ['http://a.test/?v=1&key=2#f', 'http://a.test/?v=…&key=…#f'],
  ['someone@a.test', 'someone@a.test'],
])('%j is shown as %j', ([text, shown]) => {
  expect(withoutCredentials(text)).toBe(shown)
})
