import { expect, test } from 'vitest'
import { load, report } from './load.ts'

const key = 'sk-gateway-0123456789'
const other = 'sk-gateway-9876543210'

test.for<[string, string | undefined, readonly string[]]>([
  ['there is no file', undefined, [key, other]],
  ['the file has no keys', 'strict: true', [key, other]],
  ['the file has an empty list', 'auth: { keys: [] }', [key, other]],
  ['the file has keys: they win', 'auth: { keys: [sk-of-the-file-itself] }', ['sk-of-the-file-itself']],
])('GATEWAY_KEY, where %s', ([, file, expected]) => {
  expect(load(file, { GATEWAY_KEY: `${key}, ${other}` }).keys).toEqual(expected)
})

test('a GATEWAY_KEY that is too short is refused by its name, and not shown', () => {
  expect(report(undefined, { GATEWAY_KEY: 'short' })).toEqual([
    'environment: GATEWAY_KEY: found a secret of 5 characters, expected at least 16 characters of printable ASCII, no spaces',
  ])
})

test('leave to serve without a key may come from the environment', () => {
  expect(load(undefined, { HOST: '0.0.0.0', ALLOW_UNAUTHENTICATED: 'true' }).demo).toBe(true)
  expect(report(undefined, { HOST: '0.0.0.0', ALLOW_UNAUTHENTICATED: 'no' })[0]).toContain('true or false')
})

test.for<[string, number | readonly string[]]>([
  ['2', 2],
  ['10.0.0.0/8, 10.1.2.3', ['10.0.0.0/8', '10.1.2.3']],
])('TRUST_PROXY=%s', ([text, expected]) => {
  expect(load(undefined, { TRUST_PROXY: text }).trustProxy).toEqual(expected)
})

test('GATEWAY_YAML is the text of the file', () => {
  const config = load(undefined, { GATEWAY_YAML: `auth: { keys: ["\${K}"] }\nslowThresholdMs: 9`, K: key })
  expect(config).toMatchObject({ keys: [key], slowThresholdMs: 9, source: 'GATEWAY_YAML', demo: false })
})

test('what is wrong in it is told by its line', () => {
  expect(report(undefined, { GATEWAY_YAML: '\nstrict: maybe' })).toEqual([
    'GATEWAY_YAML:2: strict: found "maybe", expected true or false',
  ])
})

test('one beside a file that is named is refused', () => {
  const told = report('', { GATEWAY_YAML: 'strict: true', GATEWAY_CONFIG: 'gateway.yaml' })
  expect(told).toEqual([
    'environment: GATEWAY_YAML: is set together with GATEWAY_CONFIG, expected only one of them',
  ])
})

test('METRICS_KEY may read the metrics alone, where the file has nobody who manages', () => {
  const environment = { GATEWAY_KEY: key, METRICS_KEY: other }
  expect(load(undefined, environment).adminKeys).toEqual([{ key: other, role: 'metrics' }])
  const file = `auth: { adminKeys: [{ key: sk-of-the-file-itself, role: admin }] }`
  expect(load(file, environment).adminKeys).toEqual([{ key: 'sk-of-the-file-itself', role: 'admin' }])
  expect(report(undefined, { METRICS_KEY: 'short' })[0]).toContain(
    'environment: METRICS_KEY: found a secret of 5 characters',
  )
})
