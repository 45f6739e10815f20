import { expect, test } from 'vitest'
import { createMemoryState } from '../../src/state/memory.ts'
import { noTenants } from '../../src/tenants/settings.ts'
import { createTenants } from '../../src/tenants/tenants.ts'
import { keyWith, rule } from './stage.ts'

test('keys of a team spend in one window, also after the clock stepped back', async () => {
  let now = Date.parse('2026-11-29T12:00:00Z')
  const clock = { epochMs: () => now, now: () => 0 }
  const state = createMemoryState(clock)
  const keys = ['one', 'two'].map((id) => keyWith({ id, name: id, team: 'team' }, `sk-${id}-0123456789ab`))
  const budgets = [rule(1000, { window: 'day' })]
  const team = { id: 'team', budgets, rates: {}, models: [], providers: [], createdAtMs: 0, updatedAtMs: 0 }
  const tenants = createTenants({
    ...{ state, money: state.money, clock, owner: 'here', send: () => undefined },
    settings: { ...noTenants, keys, teams: [team] },
    policy: { allowUnauthenticated: false, isReachable: false },
  })
  const windowOf = async (id: string) => {
    const preview = tenants.accessOf(tenants.registry.key(id)).preview({
      ...{ callId: 'call', model: 'm', user: undefined },
    })
    await preview.callTenant?.payer?.reserve([{ provider: 'up', nanoUsd: 1 }], 0)
    return preview.budgets()[0]?.window
  }
  expect(await windowOf('one')).toBe('2026-11-29')
  now = Date.parse('2026-11-30T12:00:00Z')
  expect(await windowOf('two')).toBe('2026-11-30')
  now = Date.parse('2026-11-29T13:00:00Z')
  expect([await windowOf('one'), await windowOf('two')]).toEqual(['2026-11-30', '2026-11-30'])
})
