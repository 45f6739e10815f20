import { expect, test } from 'vitest'
import { isExposed } from '../../../src/config.ts'
import { load, report } from '../load.ts'

test.for<[string, number | readonly string[]]>([
  ['2', 2],
  ['[10.1.2.3, 10.0.0.0/8, "::1"]', ['10.1.2.3', '10.0.0.0/8', '::1']],
  ['[loopback]', ['127.0.0.0/8', '::1/128']],
  ['[]', []],
])('trustProxy may be %s', ([text, expected]) => {
  expect(load(`server: { trustProxy: ${text} }`, {}).trustProxy).toEqual(expected)
})

test.for(['-1', '17', 'true', 'all', '[10.0.0.0/33]', '[10.0.0/8]', '["10.0.0.0/8/8"]', '[everybody]'])(
  'trustProxy may not be %s',
  (text) => {
    expect(report(`server: { trustProxy: ${text} }`, {})).toHaveLength(1)
  },
)

test('a socket needs no keys, for its rights as a file guard it', () => {
  const { host, ...rest } = load('server: { host: "unix:/run/gateway.sock" }', {})
  expect(isExposed({ host, keys: [], allowUnauthenticated: false })).toBe(false)
  expect(rest.drain.delayMs).toBe(0)
})

test.for(['unix:', 'unix:gateway.sock', `unix:/${'x'.repeat(101)}`])('%s is no socket', (host) => {
  expect(report(`server: { host: ${JSON.stringify(host)} }`, {})).toHaveLength(1)
})
