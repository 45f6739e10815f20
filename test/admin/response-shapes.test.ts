import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { simulatorConfig, startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { makeDirectory } from '../ledger/directory.ts'
import { rule } from '../tenants/stage.ts'

const adminKey = 'pgm_admin-0123456789'

/** How each operation is asked for an answer, in this order: those that make something come first. */
const asks: Readonly<Record<string, (known: Known) => Ask>> = {
  'post /admin/api/teams': () => ({ body: { name: 'research', limit: 5 } }),
  'post /admin/api/keys': () => ({
    body: {
      ...{ name: 'ci', team: 'research', limit: 1, limit_reset: 'monthly', models: ['*'], rpm: 60 },
      budgets: [{ name: 'daily', limit: 2, window: 'day', zone: 'Europe/Berlin', per_user: true }],
      expires_at: '2100-01-01T00:00:00Z',
    },
  }),
  'get /admin/api/keys': () => ({ query: '?team=research' }),
  'get /admin/api/keys/{hash}': () => ({}),
  'patch /admin/api/keys/{hash}': () => ({ body: { limit: 3 } }),
  'get /admin/api/teams': () => ({}),
  'get /admin/api/teams/{id}': () => ({ id: 'research' }),
  'patch /admin/api/teams/{id}': () => ({ id: 'research', body: { rpm: 100 } }),
  'get /admin/api/budgets': () => ({}),
  'get /admin/api/budgets/holds': () => ({ query: '?budget=gateway/all' }),
  'post /admin/api/budgets/override': () => ({ body: { budget: 'gateway/all', amount: 5 } }),
  'get /v1/key': ({ secret }) => ({ bearer: secret }),
  'get /admin/api/usage': () => ({ query: '?by=model,key,day&percentiles=true&compare=true' }),
  'get /admin/api/calls': () => ({ query: '?limit=1' }),
  'get /admin/api/calls/counts': () => ({}),
  'get /admin/api/calls/{id}': ({ call }) => ({ id: call }),
  'post /admin/api/calls/{id}/settle': ({ call }) => ({ id: call, body: { cost_usd: 0.01 } }),
  'get /admin/api/deployments': () => ({}),
  'post /admin/api/deployments/{id}/drain': ({ deployment }) => ({ id: deployment, body: {} }),
  'delete /admin/api/deployments/{id}/drain': ({ deployment }) => ({ id: deployment }),
  'get /admin/api/routes': () => ({}),
  'get /admin/api/settings': () => ({}),
  'post /admin/api/explain': () => ({ body: { request: chat } }),
  'get /admin/api/audit': () => ({}),
  'post /admin/api/keys/{hash}/rotate': () => ({ body: {} }),
  'delete /admin/api/keys/{hash}': () => ({ query: '?abort=true' }),
  'delete /admin/api/teams/{id}': () => ({ id: 'research' }),
  'delete /admin/api/users/{id}': () => ({ id: 'somebody' }),
}

/** Their answers are no JSON. */
const streams = ['get /admin/api/calls/live']

const chat = { model: 'm', messages: [{ role: 'user', content: 'Hi.' }] }

type Known = { hash: string; secret: string; call: string; deployment: string }

type Ask = {
  readonly id?: string
  readonly query?: string
  readonly body?: object
  readonly bearer?: string
}

describe('every documented answer of the management API', () => {
  test('is as its description says', async () => {
    await using directory = await makeDirectory()
    await using gateway = await startTestGateway({
      adminKeys: [{ key: adminKey, role: 'admin' }],
      tenants: { ...simulatorConfig.tenants, budgets: [rule(1e12, { name: 'all' })] },
      routes: [{ pattern: '*', strategy: 'fallback', deployments: [{ provider: 'simulator', price: free }] }],
      dataDirectory: directory.path,
      ledger: { ...simulatorConfig.ledger, enabled: true },
    })
    const { operations, document } = await describedBy(gateway)
    const unasked = Object.keys(operations).filter((name) => !(name in asks) && !streams.includes(name))
    // What only reads, and needs to know nothing, is asked as it is.
    expect(unasked.filter((name) => !name.startsWith('get ') || name.includes('{'))).toEqual([])
    const known: Known = { hash: '', secret: '', call: '', deployment: '' }
    const wrong: unknown[] = []
    const plain = unasked.map((name) => [name, () => ({})] as const)
    for (const [name, ask] of [...plain, ...Object.entries(asks)]) {
      const { status, answer } = await asked(gateway, name, ask(known), known)
      const operation = operations[name]
      const schema = operation?.responses[status]?.content['application/json'].schema
      if (schema === undefined) wrong.push({ name, status, answer })
      else
        wrong.push(
          ...faultsIn({ ...schema, components: document.components }, answer).map((fault) => ({
            name,
            ...fault,
          })),
        )
      await learn(gateway, name, answer, known)
    }
    expect(wrong).toEqual([])
  })

  test('and every error', async () => {
    await using gateway = await startTestGateway({ adminKeys: [{ key: adminKey, role: 'read' }] })
    const { document } = await describedBy(gateway)
    const { Error: schema } = document.components.schemas
    for (const [name, status] of [
      ['get /admin/api/keys/{hash}', 404],
      ['post /admin/api/keys', 403],
      ['get /admin/api/calls', 404],
    ] as const) {
      const known: Known = { hash: 'nobody', secret: '', call: '', deployment: '' }
      const answered = await asked(gateway, name, { body: {} }, known)
      expect(answered.status, name).toBe(status)
      expect(faultsIn(schema, answered.answer)).toEqual([])
    }
  })
})

const free = [
  {
    price: {
      ...{ inputNanoUsdPerMillion: 1e9, cachedInputNanoUsdPerMillion: undefined },
      ...{ outputNanoUsdPerMillion: 2e9, nanoUsdPerSecond: undefined },
    },
  },
]

type Schema = { readonly [key: string]: unknown }

type Operation = {
  readonly tags: readonly string[]
  readonly responses: Readonly<
    Record<string, { readonly content: { readonly 'application/json': { readonly schema: Schema } } }>
  >
}

type Described = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: { readonly Error: Schema } }
}

async function describedBy(gateway: TestGateway) {
  const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as Described
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => !tags.includes('inference'))
      .map(([method, operation]) => [`${method} ${path}`, operation] as const),
  )
  return { document, operations: Object.fromEntries(operations) }
}

async function asked(gateway: TestGateway, name: string, ask: Ask, known: Known) {
  const [method = '', path = ''] = name.split(' ')
  const { id = '', query = '', body, bearer = adminKey } = ask
  const target = path.replace('{hash}', known.hash).replace('{id}', encodeURIComponent(id))
  const response = await fetch(`${gateway.url}${target}${query}`, {
    method: method.toUpperCase(),
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    ...(body === undefined || method === 'get' ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, answer: (await response.json()) as Schema }
}

/** What later questions are about. */
async function learn(gateway: TestGateway, name: string, answer: Schema, known: Known): Promise<void> {
  if (name === 'post /admin/api/keys') {
    known.hash = (answer['data'] as { hash: string }).hash
    known.secret = String(answer['key'])
    const headers = { authorization: `Bearer ${known.secret}`, 'content-type': 'application/json' }
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify(chat),
    })
    expect(response.status, await response.text()).toBe(200)
    known.call = response.headers.get('x-request-id') ?? ''
  } else if (name === 'get /admin/api/deployments') {
    known.deployment = (answer['data'] as { id: string }[])[0]?.id ?? ''
  }
}

function faultsIn(
  schema: Schema,
  answer: unknown,
): readonly { readonly at: string; readonly fault: unknown }[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
  const validate = ajv.compile(schema)
  if (validate(answer)) return []
  return (validate.errors ?? []).map(({ instancePath, message, params }) => ({
    at: instancePath,
    fault: [message, params],
  }))
}
