import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Key } from '../../src/tenants/keys/key.ts'
import { noTenants } from '../../src/tenants/settings.ts'
import { createUsers, otherUser } from '../../src/tenants/users.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startHeldUpstream } from './held-upstream.ts'
import { ask, configAt, keyWith, rule } from './stage.ts'

const usage = { prompt_tokens: 90, completion_tokens: 5 }
const hashOf = (user: string) => createHash('sha256').update(user).digest('hex').slice(0, 32)

describe('a budget that each end user has', () => {
  test('is theirs alone; the header goes before the body', async () => {
    await using upstream = await startHeldUpstream({ usage, isHeld: false })
    const keys = [keyWith({ budgets: [rule(150_000, { isPerUser: true })] })]
    await using gateway = await startTestGateway(configAt(upstream.url, { keys }))
    const as = async (header: string | undefined, user?: string) => {
      const headers = header === undefined ? {} : { 'x-pandotate-user': header }
      const response = await ask(gateway.url, { max_tokens: 5, ...(user && { user }) }, headers)
      const text = await response.text()
      return response.status === 429
        ? (JSON.parse(text) as { error: { code: string } }).error.code
        : response.status
    }
    // A call costs 100,000: of a second, the budget has no room for.
    expect(await as('ann', 'bob')).toBe(200)
    expect(await as('ann')).toBe('insufficient_quota')
    expect(await as(undefined, 'ann')).toBe('insufficient_quota')
    expect(await as(undefined, 'bob')).toBe(200)
    expect(await as(undefined, 'bob')).toBe('insufficient_quota')
    // Who names none meets none.
    expect([await as(undefined), await as(undefined)]).toEqual([200, 200])
  })

  test('is one for all keys of a team, and another in another team', async () => {
    await using upstream = await startHeldUpstream({ usage, isHeld: false })
    const team = {
      ...{ rates: {}, models: [], providers: [], createdAtMs: 0, updatedAtMs: 0 },
      budgets: [rule(150_000, { isPerUser: true })],
    }
    const secrets = ['sk-one-0123456789', 'sk-two-0123456789', 'sk-three-0123456789'] as const
    const [one, two, three] = secrets
    const keys = [
      keyWith({ id: 'k1', name: 'one', team: 'a' }, one),
      keyWith({ id: 'k2', name: 'two', team: 'a' }, two),
      keyWith({ id: 'k3', name: 'three', team: 'b' }, three),
    ]
    const teams = ['a', 'b'].map((id) => ({ id, ...team }))
    await using gateway = await startTestGateway(configAt(upstream.url, { keys, teams }))
    const statusOf = async (secret: string) => {
      const headers = { authorization: `Bearer ${secret}`, 'x-pandotate-user': 'ann' }
      const response = await ask(gateway.url, { max_tokens: 5 }, headers)
      await response.body?.cancel()
      return response.status
    }
    expect([await statusOf(one), await statusOf(two), await statusOf(three)]).toEqual([200, 429, 200])
  })
})

test.for([
  ['hashed', hashOf('ann@example.com')],
  ['plain', 'ann@example.com'],
  ['off', undefined],
] as const)('an end user is kept in records as it is set: %s', async ([users, kept]) => {
  await using upstream = await startHeldUpstream({ usage, isHeld: false })
  const terms = { ...noTenants.terms, users }
  await using gateway = await startTestGateway(configAt(upstream.url, { keys: [keyWith({})], terms }))
  await (await ask(gateway.url, { user: 'ann@example.com' })).text()
  expect((await gateway.recorded()).user).toBe(kept)
  expect(gateway.logged().includes('ann@example.com')).toBe(users === 'plain')
})

const never = Number.POSITIVE_INFINITY

describe('of too many users', () => {
  const few = (now = () => 0) => createUsers({ how: () => 'plain', now, most: 2 })

  test('the newest share one name, until one is forgotten', () => {
    const users = few()
    const counted = ['ann', 'bob', 'cid', 'ann', 'dan'].map((user) => users.counted('team', user, never))
    expect(counted).toEqual(['team~ann', 'team~bob', `team~${otherUser}`, 'team~ann', `team~${otherUser}`])
    users.forget('bob')
    expect(users.counted('team', 'cid', never)).toBe('team~cid')
    expect(users.counted('team', 'bob', never)).toBe(`team~${otherUser}`)
  })

  test('those make room whose windows have ended', () => {
    let now = 0
    const users = few(() => now)
    users.counted('team', 'ann', 100)
    users.counted('team', 'bob', 200)
    users.counted('team', 'bob', 100)
    expect(users.counted('team', 'cid', 200)).toBe(`team~${otherUser}`)
    now = 100
    expect(users.known('team', 'cid')).toBe('team~cid')
    expect(users.counted('team', 'cid', 200)).toBe('team~cid')
    expect(users.counted('team', 'dan', 200)).toBe(`team~${otherUser}`)
    expect(users.counted('team', 'bob', 200)).toBe('team~bob')
  })

  test('there are 100,000, unless it is said otherwise', () => {
    const users = createUsers({ how: () => 'plain', now: () => 0 })
    for (let nth = 0; nth < 100_000; nth++) users.counted('t', `u${nth}`, never)
    expect(users.counted('t', 'u5', never)).toBe('t~u5')
    expect(users.counted('t', 'one more', never)).toBe(`t~${otherUser}`)
  })
})

test('no two users are counted under one name, whatever they and their teams are called', () => {
  const users = createUsers({ how: () => 'plain', now: () => 0, most: 9 })
  const long = 'u'.repeat(200)
  const pairs = [
    ...[
      ['a~b', 'c'],
      ['a', 'b~c'],
      ['a', '~other'],
      ['a', 'other'],
      ['a', '%7Eother'],
      ['a', 'b|total'],
    ],
    ...[
      ['a', `${long}1`],
      ['a', `${long}2`],
      ['', '__proto__'],
    ],
  ] as const
  const names = pairs.map(([team, user]) => users.counted(team, user, never))
  expect(new Set([...names, users.counted('a', 'one more', never)]).size).toBe(pairs.length + 1)
  expect(users.kept(`${long}1`)).toHaveLength(128)
})

test('of budgets that each end user has, an operator sees who holds, and adds to all of them', async () => {
  await using upstream = await startHeldUpstream({ usage })
  const key = keyWith({ budgets: [rule(150_000, { isPerUser: true, name: 'each' })] })
  await using gateway = await startManaged(upstream.url, key)
  const budget = `key:${key.id}/each`
  const headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/json' }
  const first = ask(gateway.url, { max_tokens: 5, user: 'ann' })
  await expect.poll(() => upstream.asked.length).toBe(1)
  const path = `${gateway.url}/admin/api/budgets/holds?budget=${encodeURIComponent(budget)}`
  const { data } = (await (await fetch(path, { headers })).json()) as { data: object[] }
  expect(data).toMatchObject([{ user: hashOf('ann'), held_nano_usd: expect.any(Number) }])
  upstream.release()
  expect((await first).status).toBe(200)
  expect((await ask(gateway.url, { max_tokens: 5, user: 'ann' })).status).toBe(429)
  await fetch(`${gateway.url}/admin/api/budgets/override`, {
    ...{ method: 'POST', headers },
    body: JSON.stringify({ budget, amount: 0.0001 }),
  })
  expect((await ask(gateway.url, { max_tokens: 5, user: 'ann' })).status).toBe(200)
})

test('an operator forgets an end user: an audit row, and what they spent stays', async () => {
  await using upstream = await startHeldUpstream({ usage, isHeld: false })
  const key = keyWith({ budgets: [rule(150_000, { isPerUser: true })] })
  await using gateway = await startManaged(upstream.url, key)
  await (await ask(gateway.url, { max_tokens: 5, user: 'ann' })).text()
  await gateway.recorded()
  const headers = { authorization: `Bearer ${admin}` }
  const path = `${gateway.url}/admin/api/users/${hashOf('ann')}`
  expect(await (await fetch(path, { method: 'DELETE', headers })).json()).toEqual({ deleted: true })
  const rows = (await (await fetch(`${gateway.url}/admin/api/audit`, { headers })).json()) as {
    data: object[]
  }
  expect(rows.data[0]).toMatchObject({ action: 'user.delete', subject: { kind: 'user', id: hashOf('ann') } })
  expect((await ask(gateway.url, { max_tokens: 5, user: 'ann' })).status).toBe(429)
})

const admin = 'pgm_admin-0123456789'

/** A gateway with this key, and a key to manage it. */
function startManaged(url: string, key: Key): Promise<TestGateway> {
  const { tenants, ...config } = configAt(url, { keys: [key] })
  const manager = keyWith({ id: 'm', name: 'manager', kind: 'management', role: 'admin' }, admin)
  return startTestGateway({ ...config, tenants: { ...noTenants, ...tenants, keys: [key, manager] } })
}
