import { expect, test } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import { providers } from '../../../src/providers/all.ts'
import { type BasetenOptions, simulateBaseten } from '../../../src/simulator/baseten/baseten.ts'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { onlyFile } from '../../harness/only-file.ts'

const key = 'a-key-of-the-gateway'
const callersKey = 'a-key-of-a-caller'
const model = 'org/sim-echo'
const path = `/admin/api/deployments/${model}@cold/wake`

test('a Baseten deployment that sleeps is woken, and then answers', async () => {
  await using scene = await stage({ coldMs: 1 })
  const { status, body } = await scene.post(path)
  expect(status).toBe(202)
  expect(body).toEqual({ id: `${model}@cold`, provider: 'cold', woken: true })
  expect(scene.baseten.requests).toMatchObject([{ method: 'POST', path: '/production/wake' }])
  expect(scene.gateway.logged()).toContain(`"deployment":"${model}@cold","provider":"cold","msg":"woken"`)
  const asked = { model: 'm', messages: [{ role: 'user', content: 'one two' }] }
  const answered = await scene.post('/v1/chat/completions', asked, callersKey)
  expect(answered.body).toMatchObject({ choices: [{ message: { content: 'one two' } }] })
})

test('its id may be encoded', async () => {
  await using scene = await stage()
  const encoded = encodeURIComponent(`${model}@cold`)
  expect(await scene.post(`/admin/api/deployments/${encoded}/wake`)).toMatchObject({ status: 202 })
  expect(scene.baseten.hits()).toBe(1)
})

test('a key that Baseten refuses is the operator’s to mend: the log says which, the answer does not', async () => {
  await using scene = await stage({ key: 'another-than-ours' })
  const { status, body } = await scene.post(path)
  expect(status).toBe(502)
  expect(body).toMatchObject({ error: { type: 'server_error', code: 'upstream_auth_error' } })
  expect(JSON.stringify(body)).not.toContain('our-very-own-key')
  expect(scene.gateway.logged()).toContain('"operatorNote":"providers.cold.apiKey"')
})

test.for<[string, string, number]>([
  ['of a deployment that is none', '/admin/api/deployments/m@nowhere/wake', 404],
  ['of one that cannot be woken', '/admin/api/deployments/sim-echo@awake/wake', 501],
])('%s is refused in OpenAI’s envelope', async ([, at, expected]) => {
  await using scene = await stage()
  const { status, headers, body } = await scene.post(at)
  expect(status).toBe(expected)
  expect(headers.get('x-request-id')).toMatch(/^req_/)
  expect(body).toEqual({
    error: {
      message: expect.stringMatching(/called `m@nowhere`|`sim-echo@awake` cannot be woken/),
      type: 'invalid_request_error',
      param: 'id',
      code: expected === 404 ? 'deployment_not_found' : 'not_implemented',
    },
  })
  expect(scene.baseten.hits()).toBe(0)
})

test('a caller without a key wakes nobody', async () => {
  await using scene = await stage()
  expect(await scene.post(path, undefined, 'no-key-of-the-gateway')).toMatchObject({
    status: 401,
    body: { error: { code: 'invalid_api_key' } },
  })
  expect(scene.baseten.hits()).toBe(0)
})

test('another method is told which one there is', async () => {
  await using scene = await stage()
  const response = await fetch(scene.gateway.url + path)
  expect(response.status).toBe(405)
  expect(response.headers.get('allow')).toBe('POST')
})

type Answer = { readonly status: number; readonly headers: Headers; readonly body: unknown }

/** Model `m` at a deployment of Baseten's, which sleeps, and at the simulator. */
async function stage(options: Partial<BasetenOptions> = {}) {
  const baseten = await simulateBaseten({ host: '127.0.0.1', port: 0, ...options })
  const gateway: TestGateway = await startTestGateway(
    loadConfig({
      environment: { GATEWAY_CONFIG: 'gateway.yaml', PORT: '0' },
      readFile: onlyFile(
        JSON.stringify({
          auth: { keys: [callersKey], adminKeys: [{ key, role: 'admin' }] },
          providers: {
            cold: {
              ...{ type: 'baseten', baseUrl: baseten.origin, apiKey: 'our-very-own-key' },
              deployment: { model: 'abc123' },
            },
            awake: { type: 'simulator' },
          },
          models: {
            m: {
              deployments: [
                { provider: 'cold', model },
                { provider: 'awake', model: 'sim-echo' },
              ],
            },
          },
        }),
      ),
      providers,
    }),
  )
  return {
    ...{ baseten, gateway },
    async post(at: string, body?: object, bearer = key): Promise<Answer> {
      const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }
      const sent = body === undefined ? {} : { body: JSON.stringify(body) }
      const response = await fetch(gateway.url + at, { method: 'POST', headers, ...sent })
      return { status: response.status, headers: response.headers, body: await response.json() }
    },
    async [Symbol.asyncDispose]() {
      for (const part of [gateway, baseten]) await part[Symbol.asyncDispose]()
    },
  }
}
