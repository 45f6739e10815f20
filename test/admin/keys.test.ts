import { describe, expect, test } from 'vitest'
import { simulatorConfig, startTestGateway, type TestGateway } from '../harness/gateway.ts'

const adminKey = 'pgm_admin-0123456789'

describe('a change that names what it was made from', () => {
  test.for([
    ['a key', '/keys', ({ hash }: Row) => `/keys/${hash}`],
    ['a team', '/teams', ({ id }: Row) => `/teams/${id}`],
  ] as const)('is refused where somebody else changed %s meanwhile', async ([, makeAt, pathOf]) => {
    await using gateway = await start()
    const made = await ask(gateway, 'POST', makeAt, { name: 'research', rpm: 10 })
    const path = pathOf(made.data)
    const madeFrom = made.data.updated_at ?? made.data.created_at
    await passMillisecond(madeFrom)
    await ask(gateway, 'PATCH', path, { rpm: 20 })
    const late = await ask(gateway, 'PATCH', `${path}?unchanged_since=${madeFrom}`, { tpm: 5 })
    expect(late).toMatchObject({ status: 409, error: { code: 'changed_meanwhile' } })
    const now = await ask(gateway, 'GET', path)
    expect(now.data).toMatchObject({ rpm: 20, tpm: null })
    const again = await ask(gateway, 'PATCH', `${path}?unchanged_since=${now.data.updated_at}`, { tpm: 5 })
    expect(again.data).toMatchObject({ rpm: 20, tpm: 5 })
  })

  test('is refused where the moment is none', async () => {
    await using gateway = await start()
    const { data } = await ask(gateway, 'POST', '/keys', { name: 'ci' })
    const asked = await ask(gateway, 'PATCH', `/keys/${data.hash}?unchanged_since=yesterday`, { rpm: 1 })
    expect(asked).toMatchObject({ status: 400, error: { param: 'unchanged_since' } })
  })
})

test('a budget says what of its limit was added for the current window, and when its weeks begin', async () => {
  await using gateway = await start()
  const budgets = [{ name: 'sprint', limit: 2, window: 'week', week_start: 3 }]
  const { data } = await ask(gateway, 'POST', '/keys', { name: 'ci', budgets })
  await ask(gateway, 'POST', '/budgets/override', { budget: `key:${data.hash}/sprint`, amount: 0.5 })
  const { data: now } = await ask(gateway, 'GET', `/keys/${data.hash}`)
  expect(now.budgets).toMatchObject([
    { limit: 2.5, raised: 0.5, raised_nano_usd: 500_000_000, week_start: 3 },
  ])
})

test('null removes a limit, and empties a list', async () => {
  await using gateway = await start()
  const lists = { models: ['a'], providers: ['up'], tags: ['t'], budgets: [{ limit: 1 }] }
  const { data } = await ask(gateway, 'POST', '/keys', { name: 'ci', rpm: 5, owner: 'ada', ...lists })
  const nothing = { models: null, providers: null, tags: null, budgets: null, rpm: null, owner: null }
  expect((await ask(gateway, 'PATCH', `/keys/${data.hash}`, nothing)).data).toMatchObject({
    ...{ models: [], providers: [], tags: [], budgets: [], rpm: null, owner: null },
  })
})

test.for([
  ['with its key in a header', { authorization: `Bearer ${adminKey}` }, 200],
  ['with its key in another header', { 'x-api-key': adminKey }, 200],
  ['without a key, which a page could send', {}, 415],
] as const)('a key is rotated by a POST without a body, %s', async ([, headers, status]) => {
  await using gateway = await start()
  const { data } = await ask(gateway, 'POST', '/keys', { name: 'ci' })
  const path = `${gateway.url}/admin/api/keys/${data.hash}/rotate`
  expect((await fetch(path, { method: 'POST', headers })).status).toBe(status)
})

type Row = {
  readonly hash?: string
  readonly id?: string
  readonly created_at: string
  readonly updated_at: string | null
  readonly budgets: readonly object[]
}

type Answer = { readonly status: number; readonly data: Row; readonly error?: object }

function start(): Promise<TestGateway> {
  return startTestGateway({ ...simulatorConfig, adminKeys: [{ key: adminKey, role: 'admin' }] })
}

async function ask(gateway: TestGateway, method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${gateway.url}/admin/api${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) }
}

/** Stamps are in milliseconds. */
async function passMillisecond(since: string): Promise<void> {
  while (Date.now() <= Date.parse(since)) await new Promise(setImmediate)
}
