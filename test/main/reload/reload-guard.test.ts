import { describe, expect, test } from 'vitest'
import { type Config, ConfigError, loadConfig } from '../../../src/config.ts'
import { createReloadGuard } from '../../../src/main/reload/reload-guard.ts'
import { providers } from '../../../src/providers/all.ts'
import { onlyFile } from '../../harness/only-file.ts'

const file = `server:
  port: 0
auth:
  keys:
    - sk-the-first-of-the-keys
    - sk-the-second-of-the-keys
  adminKeys:
    - { key: gw-admin-0123456789, role: admin }
limits:
  bodyBytes: 1000
  inFlight: 10
strict: true
log:
  level: warn
models:
  m:
    deployments:
      - provider: simulator
`

describe('a file that was cut short', () => {
  test('at any character, is refused or asks for keys as before', () => {
    const inUse = configOf(file)
    for (let end = 0; end < file.length; end++) {
      const offered = parsed(file.slice(0, end))
      if (offered === undefined || problemsOf(offered, inUse).length > 0) continue
      expect(offered.keys.length, file.slice(0, end)).toBeGreaterThan(0)
      expect(offered.limits.bodyBytes, file.slice(0, end)).toBeLessThanOrEqual(1000)
      expect(offered.routes.map(({ pattern }) => pattern)).toEqual(['m'])
    }
  })

  test.for([
    ['to nothing', ''],
    ['to a blank', ' \n'],
    ['to a comment', '# The keys were here.\n'],
    ['to a document’s beginning', '---\n'],
    ['to a section without settings', 'server:\n'],
  ] as const)('%s is refused, and said to be empty', ([, text]) => {
    expect(problemsOf(configOf(text), configOf(file))).toEqual([
      'gateway.yaml: is empty, expected settings: only a restart accepts that',
    ])
  })
})

describe('what opens something by being left out is refused, by name', () => {
  test.for<readonly [string, string, string, string | undefined]>([
    ['the keys', file, without(/auth:[\s\S]*?(?=limits)/), 'auth.keys'],
    ['the list of keys', file, without(/ {2}keys:\n.*\n.*\n/), 'auth.keys'],
    ['a limit', file, without(/ {2}bodyBytes: 1000\n/), 'limits.bodyBytes'],
    ['all limits', file, without(/limits:\n.*\n.*\n/), 'limits.bodyBytes'],
    ['strictness', file, without(/strict: true\n/), 'strict'],
    ['the models', file, without(/models:[\s\S]*/), 'models'],
    [
      'management keys where there are no others',
      'auth: { adminKeys: [{ key: gw-admin-0123456789, role: read }] }\n',
      'strict: false\n',
      'auth.adminKeys',
    ],
    ['what only tells how much is logged', file, without(/log:\n.*\n/), undefined],
    ['one of two keys', file, without(/ {4}- sk-the-second.*\n/), undefined],
    [
      'a limit that was wider than the default',
      'limits: { fanOut: 99 }\nstrict: false',
      'strict: false',
      undefined,
    ],
    ['a limit, written out otherwise', file, file.replace('bodyBytes: 1000', 'bodyBytes: 2000'), undefined],
    ['strictness, written out', file, file.replace('strict: true', 'strict: false'), undefined],
  ])('%s', ([, before, after, place]) => {
    const problems = problemsOf(configOf(after), configOf(before))
    if (place === undefined) expect(problems).toEqual([])
    else expect(problems.join('\n')).toContain(`gateway.yaml: ${place}: `)
  })
})

describe('keys that were asked for once', () => {
  const keyless = 'strict: true\n'
  const opened = 'server: { allowUnauthenticated: true }\nstrict: true\n'
  const keyed = 'auth: { keys: [sk-the-first-of-the-keys] }\nstrict: true\n'

  test('are asked for until the process ends, also those of a later file', () => {
    const guard = createReloadGuard(configOf(keyless))
    guard.check(configOf(keyed), configOf(keyless))
    expect(() => guard.check(configOf(keyless), configOf(keyed))).toThrow(ConfigError)
    expect(() => guard.check(configOf(keyless), configOf(keyed))).toThrow('server.allowUnauthenticated')
  })

  test('are so no more once that is written in so many words, and again when it is not', () => {
    const guard = createReloadGuard(configOf(keyed))
    guard.check(configOf(opened), configOf(keyed))
    expect(() => guard.check(configOf(keyless), configOf(opened))).toThrow(ConfigError)
  })

  test('are not asked for where there never were any', () => {
    const guard = createReloadGuard(configOf(keyless))
    guard.check(configOf('strict: false'), configOf(keyless))
  })
})

function without(part: RegExp): string {
  return file.replace(part, '')
}

function configOf(text: string): Config {
  return loadConfig({ environment: {}, readFile: onlyFile(text), providers })
}

function parsed(text: string): Config | undefined {
  try {
    return configOf(text)
  } catch {
    return undefined
  }
}

function problemsOf(offered: Config, inUse: Config): readonly string[] {
  try {
    createReloadGuard(inUse).check(offered, inUse)
    return []
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.lines
    throw thrown
  }
}
