import { expect, test } from 'vitest'
import { ConfigError, loadConfig } from '../../../src/config.ts'
import { providers } from '../../../src/providers/all.ts'

const yaml = `
auth: { keys: ['\${GATEWAY_KEY}'] }
providers: { local: { type: openai-compatible, baseUrl: 'http://127.0.0.1:1/v1', apiKey: '\${LOCAL_KEY:-none}' } }
`
const key = 'sk-gateway-0123456789'

test('a variable of the file may be one too, and is read without its last line break', () => {
  const config = load({ GATEWAY_KEY_FILE: '/run/key' }, { '/run/key': `${key}\r\n` })
  expect(config.keys).toEqual([key])
})

test('so may those that the gateway knows by name', () => {
  const environment = { GATEWAY_KEY: key, TOGETHER_API_KEY_FILE: '/run/together' }
  const config = load(environment, { '/run/together': 'tg-key\n' })
  expect(config.providers.find(({ name }) => name === 'together')?.settings).toMatchObject({
    apiKey: 'tg-key',
  })
})

test('a default is for where neither is set', () => {
  const local = (environment: Record<string, string>, files: Record<string, string>) =>
    load({ GATEWAY_KEY: key, ...environment }, files).providers.find(({ name }) => name === 'local')?.settings
  expect(local({}, {})).toMatchObject({ apiKey: 'none' })
  expect(local({ LOCAL_KEY_FILE: '/run/local' }, { '/run/local': 'given' })).toMatchObject({
    apiKey: 'given',
  })
})

test('other variables that end so are left alone: their files are not even read', () => {
  const read: string[] = []
  const environment = {
    GATEWAY_KEY: key,
    SSL_CERT_FILE: '/etc/ssl/cert.pem',
    GATEWAY_CONFIG_FILE: '/x',
    _FILE: '/y',
  }
  load(environment, {}, (path) => read.push(path))
  expect(read).toEqual(['gateway.yaml', 'data/catalog.json'])
})

test.for<[string, Record<string, string>, Record<string, string>, string]>([
  [
    'is not there',
    { GATEWAY_KEY_FILE: '/run/key' },
    {},
    'environment: GATEWAY_KEY_FILE: found "/run/key", expected the path of a file that can be read (ENOENT)',
  ],
  [
    'is empty',
    { GATEWAY_KEY_FILE: '/run/key' },
    { '/run/key': '\n' },
    'environment: GATEWAY_KEY_FILE: found "/run/key", expected the path of a file that is not empty',
  ],
  [
    'is named beside the secret itself',
    { GATEWAY_KEY_FILE: '/run/key', GATEWAY_KEY: key },
    { '/run/key': key },
    'environment: GATEWAY_KEY_FILE: is set together with GATEWAY_KEY, expected only one of them',
  ],
])('a file that %s is refused', ([, environment, files, expected]) => {
  expect(problemsOf(() => load(environment, files))).toContain(expected)
})

test('what is wrong in such a file is reported by the secret’s length, as elsewhere', () => {
  const problems = problemsOf(() => load({ GATEWAY_KEY_FILE: '/run/key' }, { '/run/key': 'short-secret' }))
  expect(problems.join()).toContain('found a secret of 12 characters')
  expect(problems.join()).not.toContain('short-secret')
})

function load(
  environment: Record<string, string>,
  files: Record<string, string>,
  onRead: (path: string) => void = () => undefined,
) {
  const all: Record<string, string> = { 'gateway.yaml': yaml, ...files }
  const readFile = (path: string) => {
    onRead(path)
    const text = all[path]
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    return text
  }
  return loadConfig({ environment, readFile, providers })
}

function problemsOf(action: () => unknown): readonly string[] {
  try {
    action()
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.lines
    throw thrown
  }
  return []
}
