import { describe, expect, test } from 'vitest'
import { describeConfig } from '../../../src/config.ts'
import { load, loadBoth, report, testProviders } from '../load.ts'

describe('The origins of pages that may call', () => {
  test('are none by default', () => {
    expect(load('').cors).toEqual({ origins: [] })
  })

  test.for([
    'https://app.example',
    'http://localhost:3000',
    'http://127.0.0.1:8080',
    'http://[::1]:5173',
    'chrome-extension://abcdefghijklmnop',
    'tauri://localhost',
  ])('are taken as browsers send them: %s', (origin) => {
    const both = loadBoth(`cors: { origins: ['${origin}', 'https://other.example'] }`)
    expect(both.config.cors.origins).toEqual([origin, 'https://other.example'])
    expect(describeConfig(both, testProviders)).toContain(`\ncors.origins  ${origin}, https://other.example`)
  })

  test.for([
    'https://app.example/',
    'https://app.example/path',
    'https://App.example',
    'https://app.example:443',
    'http://app.example:80',
    'https://*.example',
    'https://',
    'app.example',
    'null',
    '',
  ])('are refused when no browser sends them: %j', (origin) => {
    expect(report(`cors: { origins: ['${origin}'] }`)).toEqual([
      `gateway.yaml:1: cors.origins[0]: found ${JSON.stringify(origin)}, expected an origin as browsers send it, such as https://app.example or http://localhost:3000, or *`,
    ])
  })
})

describe('Any origin', () => {
  const open = `cors: { origins: ['*'] }`

  test.for([
    ['a key', 'auth: { keys: [a-key-of-16-chars] }'],
    ['leave to serve without one', 'server: { allowUnauthenticated: true }'],
  ])('is allowed with %s', ([, more]) => {
    expect(load(`${open}\n${more}`).cors.origins).toEqual(['*'])
  })

  test('is refused without either, told beside the other problems', () => {
    const told =
      'cors.origins: found "*", expected a list of origins, or keys in auth.keys, or server.allowUnauthenticated: true'
    expect(report(open)).toEqual([`gateway.yaml:1: ${told}`])
    expect(report(open, { HOST: '0.0.0.0' })).toEqual([
      `gateway.yaml:1: ${told}`,
      expect.stringMatching(/HOST: found "0\.0\.0\.0", expected a loopback address/),
    ])
  })
})
