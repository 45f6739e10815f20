import { expect, test } from 'vitest'
import { plainKey } from '../../src/config/tenancy.ts'
import { noTenants } from '../../src/tenants/settings.ts'
import { simulatorConfig, startTestGateway, type TestGateway } from '../harness/gateway.ts'

const adminKey = 'pgm_admin-0123456789'

test.for([
  ['a misspelled limit', '/keys', { limits: 5 }, 'limits'],
  ['a budget’s name that another has by its window', '/keys', twins('month'), 'budgets'],
  [
    'a budget’s name that is kept for `limit`',
    '/keys',
    { budgets: [{ limit: 1, name: 'limit' }] },
    'budgets',
  ],
  ['an empty pattern', '/keys', { models: [''] }, 'models.0'],
  ['a control character', '/keys', { name: 'a\nb' }, 'name'],
  ['dots alone', '/teams', { name: '..' }, 'name'],
] as const)('%s is refused', async ([, path, body, param]) => {
  await using gateway = await start()
  const refused = await ask(gateway, 'POST', path, { name: 'ci', ...(body as object) })
  expect(refused).toMatchObject({ status: 400, error: { type: 'invalid_request_error' } })
  expect(`${refused.error?.param} ${refused.error?.message}`).toContain(param)
})

test('what OpenRouter’s clients send beside it has no effect', async () => {
  await using gateway = await start()
  const sent = { creator_user_id: 'u', include_byok_in_limit: true, workspace_id: 'w' }
  const made = await ask(gateway, 'POST', '/keys', { name: 'ci', ...sent })
  expect(made).toMatchObject({ status: 201, data: { include_byok_in_limit: false } })
})

test('no key takes the name of one in the file, made so or renamed', async () => {
  const declared = { ...plainKey('sk-of-the-file-0123456789'), name: 'declared' }
  await using gateway = await start([declared])
  const { data } = await ask(gateway, 'POST', '/keys', { name: 'other' })
  const managed = { status: 409, error: { code: 'managed_by_file' } }
  expect(await ask(gateway, 'POST', '/keys', { name: 'declared' })).toMatchObject(managed)
  expect(await ask(gateway, 'PATCH', `/keys/${data?.hash}`, { name: 'declared' })).toMatchObject(managed)
  expect(await ask(gateway, 'PATCH', `/keys/${data?.hash}`, { name: 'own' })).toMatchObject({ status: 200 })
})

function twins(name: string) {
  return { budgets: [{ limit: 1, name }, { limit: 2 }] }
}

type Answer = {
  readonly status: number
  readonly data?: { readonly hash: string }
  readonly error?: { readonly param: string | null; readonly message: string }
}

function start(keys: readonly ReturnType<typeof plainKey>[] = []): Promise<TestGateway> {
  const adminKeys = [{ key: adminKey, role: 'admin' as const }]
  return startTestGateway({
    ...simulatorConfig,
    adminKeys,
    ...(keys.length > 0 && { tenants: tenantsOf(keys) }),
  })
}

function tenantsOf(keys: readonly ReturnType<typeof plainKey>[]) {
  const manager = { ...plainKey(adminKey), kind: 'management' as const, role: 'admin' as const }
  return { ...noTenants, keys: [...keys, manager] }
}

async function ask(gateway: TestGateway, method: string, path: string, body: object): Promise<Answer> {
  const response = await fetch(`${gateway.url}/admin/api${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, ...((await response.json()) as object) }
}
