import { expect, test } from 'vitest'
import { widened } from '../../../src/tenants/keys/widening.ts'
import { noTenants } from '../../../src/tenants/settings.ts'
import { keyWith, rule } from '../stage.ts'

const before = keyWith({
  budgets: [rule(5, { window: 'month' }), rule(9, { name: 'all' })],
  rates: { rpm: 5, tpm: 10 },
  models: ['a-*'],
  providers: ['up'],
})

const of = (key: typeof before) => ({ ...noTenants, keys: [key] })

test.for([
  ['a budget that is gone', { budgets: [rule(9, { name: 'all' })] }, ['loses its budget month']],
  ['a limit that is gone', { rates: { tpm: 10 } }, ['loses its rpm']],
  ['a list of models that is gone', { models: [] }, ['loses its models']],
  ['a list of providers that is gone', { providers: [] }, ['loses its providers']],
  ['another amount', { budgets: [rule(500, { window: 'month' }), rule(1, { name: 'all' })] }, []],
  ['another secret', { secrets: [{ digest: 'another' }] }, []],
  ['more limits', { rates: { rpm: 5, tpm: 10, concurrency: 1 } }, []],
] as const)('%s widens what a named key may do, or does not', ([, change, expected]) => {
  const after = { ...before, ...(change as object) }
  expect(widened(of(before), of(after))).toEqual(expected.map((what) => `the key "tester" ${what}`))
})

test('a key that is gone, or has no name, widens nothing', () => {
  expect(widened(of(before), noTenants)).toEqual([])
  expect(widened(of({ ...before, name: '' }), of({ ...before, name: '', budgets: [] }))).toEqual([])
})
