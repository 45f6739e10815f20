import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isExposedFile } from '../../src/cli/exposed-file.ts'
import { loadConfig } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'
import { onlyFile } from '../harness/only-file.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'exposed-'))
})
afterAll(() => rm(directory, { recursive: true }))

const environment = { KEY: 'sk-of-the-environment' }

test.for<readonly [string, string, number, boolean]>([
  ['a gateway’s key', 'auth: { keys: [sk-0123456789abcdef] }', 0o644, true],
  ['a management key', 'auth: { adminKeys: [{ key: gw-0123456789abcdef, role: read }] }', 0o644, true],
  ['a provider’s key', 'providers: { together: { apiKey: tgp-0123456789 } }', 0o644, true],
  ['a key, for its owner alone', 'auth: { keys: [sk-0123456789abcdef] }', 0o600, false],
  ['a key, for its group', 'auth: { keys: [sk-0123456789abcdef] }', 0o640, false],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: gateway.yaml's own.
  ['a key of the environment', 'auth: { keys: ["${KEY}"] }', 0o644, false],
  ['no key', 'strict: true', 0o644, false],
])('a file with %s', async ([, text, mode, isExposed]) => {
  const path = join(directory, 'gateway.yaml')
  await writeFile(path, text)
  await chmod(path, mode)
  const config = loadConfig({ environment, readFile: onlyFile(text), providers })
  expect(isExposedFile(path, text, config)).toBe(isExposed)
})
