import { expect, test } from 'vitest'
import { plainAdminKey } from '../../src/config/tenancy.ts'
import { noTenants } from '../../src/tenants/settings.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { price } from '../tenants/stage.ts'

const admin = 'a-management-key-for-admins'
const request = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] }

test('a request is explained to who manages, and has no key for calls', async () => {
  await using scene = await setUp()
  const { status, body } = await scene.ask('POST', '/explain', { request })
  expect([status, body.data]).toMatchObject([
    200,
    { model: 'm', dialect: 'chat', plan: ['*@simulator', '*@simulator'], hold: null },
  ])
  expect(scene.records).toEqual([])
})

test('it is explained as it would be with a key: by its models and its budgets', async () => {
  await using scene = await setUp()
  const made = await scene.ask('POST', '/keys', { name: 'a', models: ['m'], limit: 1, limit_reset: 'daily' })
  const key = made.body.data.hash
  const { body } = await scene.ask('POST', '/explain', { request, key })
  expect(body.data.hold.budgets).toMatchObject([{ limit_nano_usd: 1e9, blocks: false }])
  const other = await scene.ask('POST', '/explain', { request: { ...request, model: 'other' }, key })
  expect([other.status, other.body.error.code]).toEqual([404, 'model_not_found'])
})

test.for<[string, object, number, string]>([
  ['a key that is none', { request, key: 'nothing' }, 404, 'key'],
  ['a dialect that is none', { request, dialect: 'esperanto' }, 400, 'dialect'],
  ['no request', {}, 400, 'request'],
])('%s is refused', async ([, sent, status, param]) => {
  await using scene = await setUp()
  const answer = await scene.ask('POST', '/explain', sent)
  expect([answer.status, answer.body.error.param]).toEqual([status, param])
})

/** The fields of answers that these tests read. */
type Body = {
  readonly data: { readonly hash: string; readonly hold: { readonly budgets: readonly unknown[] } }
  readonly error: { readonly code: string; readonly param: string }
}

async function setUp() {
  const gateway = await startTestGateway({
    tenants: { ...noTenants, keys: [plainAdminKey(admin, 'admin')] },
    routes: [
      { pattern: '*', strategy: 'fallback', deployments: [{ provider: 'simulator', price: [{ price }] }] },
    ],
  })
  return {
    records: gateway.records,
    async ask(method: string, path: string, sent: object) {
      const response = await fetch(`${gateway.url}/admin/api${path}`, {
        method,
        headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
        body: JSON.stringify(sent),
      })
      return { status: response.status, body: (await response.json()) as Body }
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  }
}
