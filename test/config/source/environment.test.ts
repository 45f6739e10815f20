import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigError, readEnvironment } from '../../../src/config.ts'

function directory() {
  return mkdtempDisposableSync(join(tmpdir(), 'gateway-environment-'))
}

test('.env fills up what the process was not given', () => {
  using place = directory()
  writeFileSync(join(place.path, '.env'), '# ours\nPORT=9000\nHOST="::1" # here\nexport LOG_LEVEL=warn\n')
  expect(readEnvironment(place.path, { PORT: '1', OTHER: 'x' })).toEqual({
    PORT: '1',
    HOST: '::1',
    LOG_LEVEL: 'warn',
    OTHER: 'x',
  })
})

test('a variable that the process has, though empty, blanks the one in .env', () => {
  using place = directory()
  writeFileSync(join(place.path, '.env'), 'PANDOTATE_API_KEY=pk_file\n')
  expect(readEnvironment(place.path, { PANDOTATE_API_KEY: '' })).toEqual({ PANDOTATE_API_KEY: '' })
})

test('.env may begin with a byte order mark and have Windows line ends', () => {
  using place = directory()
  writeFileSync(join(place.path, '.env'), '\uFEFFPORT=9000\r\nHOST=localhost\r\n')
  expect(readEnvironment(place.path, {})).toEqual({ PORT: '9000', HOST: 'localhost' })
})

test('without .env the environment is the process’s own', () => {
  using place = directory()
  expect(readEnvironment(place.path, { PORT: '1' })).toEqual({ PORT: '1' })
})

test('a .env that cannot be read is a problem of the configuration', () => {
  using place = directory()
  mkdirSync(join(place.path, '.env'))
  expect(() => readEnvironment(place.path, {})).toThrow(ConfigError)
  expect(() => readEnvironment(place.path, {})).toThrow('  .env: cannot be read (EISDIR)\n')
})
