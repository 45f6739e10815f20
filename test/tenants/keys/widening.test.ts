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

const team = {
  ...{ id: 'a', budgets: [rule(5)], rates: { rpm: 5 }, models: ['a-*'], providers: [] },
  ...{ createdAtMs: 0, updatedAtMs: 0 },
}
const other = { ...team, id: 'b' }
const member = keyWith({ team: 'a' })
const inTeam = { ...noTenants, keys: [member], teams: [team, other], budgets: [rule(9)], rates: { tpm: 9 } }

test.for([
  ['a budget of its team', { teams: [{ ...team, budgets: [] }] }, ["its team's budget total"]],
  ['a limit of its team', { teams: [{ ...team, rates: {} }] }, ["its team's rpm"]],
  ['a list of its team', { teams: [{ ...team, models: [] }] }, ["its team's models"]],
  ['a budget of the gateway', { budgets: [] }, ["the gateway's budget total"]],
  ['a limit of the gateway', { rates: {} }, ["the gateway's tpm"]],
  ['its team', { keys: [keyWith({})] }, ["its team's budget total", "its team's rpm", "its team's models"]],
  ['one team, for another with the same rules,', { keys: [keyWith({ team: 'b' })] }, []],
  ['nothing', {}, []],
] as const)('a key that loses %s may do more, or not', ([, change, expected]) => {
  const after = { ...inTeam, ...(change as object) }
  expect(widened(inTeam, after)).toEqual(expected.map((what) => `the key "tester" loses ${what}`))
})

test('a key that is gone, or has no name, widens nothing', () => {
  expect(widened(of(before), noTenants)).toEqual([])
  expect(widened(of({ ...before, name: '' }), of({ ...before, name: '', budgets: [] }))).toEqual([])
})
