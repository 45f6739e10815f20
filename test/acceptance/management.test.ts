import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GatewayProcess, startGateway } from './gateway-process.ts'

const simulated = "models: { '*': { deployments: [{ provider: simulator }] } }\n"
const inference = 'sk-inference-0123456789'
const keyOf = (role: string) => `gw-${role}-key-0123456789`
const managers = ['metrics', 'read', 'admin'].map((role) => `{ key: ${keyOf(role)}, role: ${role} }`)

const wake = '/admin/api/deployments/nothing@nowhere/wake'

describe('with management keys', () => {
  let gateway: GatewayProcess
  beforeAll(async () => {
    const auth = `auth: { keys: [${inference}], adminKeys: [${managers.join(', ')}] }\n`
    gateway = await startGateway({ file: auth + simulated })
  })
  afterAll(() => gateway[Symbol.asyncDispose]())

  // There is no such deployment: who is told so was let in.
  test.for([
    ['nobody', undefined, { metrics: 401, deployments: 401, wake: 401, models: 401 }],
    ['an unknown key', 'sk-unknown-0123456789', { metrics: 401, deployments: 401, wake: 401, models: 401 }],
    ['an inference key', inference, { metrics: 401, deployments: 401, wake: 401, models: 200 }],
    ['metrics', keyOf('metrics'), { metrics: 200, deployments: 403, wake: 403, models: 401 }],
    ['read', keyOf('read'), { metrics: 200, deployments: 200, wake: 403, models: 401 }],
    ['admin', keyOf('admin'), { metrics: 200, deployments: 200, wake: 404, models: 401 }],
  ] as const)('%s may do what it may', async ([, key, expected]) => {
    expect(await statuses(gateway, key)).toEqual(expected)
  })

  test('the 401 names the setting, and no key is in any answer', async () => {
    const answer = await get(gateway, '/metrics', inference)
    const text = await answer.text()
    expect(text).toContain('auth.adminKeys')
    expect(text).not.toContain(inference)
  })
})

test('with inference keys alone nobody manages', async () => {
  await using gateway = await startGateway({ file: `auth: { keys: [${inference}] }\n${simulated}` })
  expect(await statuses(gateway, inference)).toEqual({
    metrics: 401,
    deployments: 401,
    wake: 401,
    models: 200,
  })
})

test('without any keys on loopback everyone does', async () => {
  await using gateway = await startGateway({ file: simulated })
  expect(await statuses(gateway)).toEqual({ metrics: 200, deployments: 200, wake: 404, models: 200 })
})

async function statuses(gateway: GatewayProcess, key?: string) {
  const [metrics, deployments, woken, models] = await Promise.all([
    get(gateway, '/metrics', key),
    get(gateway, '/admin/api/deployments', key),
    get(gateway, wake, key, 'POST'),
    get(gateway, '/v1/models', key),
  ])
  return {
    metrics: metrics.status,
    deployments: deployments.status,
    wake: woken.status,
    models: models.status,
  }
}

function get(gateway: GatewayProcess, path: string, key?: string, method = 'GET') {
  const bearer = key === undefined ? {} : { authorization: `Bearer ${key}` }
  return fetch(gateway.url + path, { method, headers: { 'content-type': 'application/json', ...bearer } })
}
