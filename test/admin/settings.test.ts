import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'
import { digestOf } from '../../src/tenants/keys/key.ts'
import { inTest, startTestGateway } from '../harness/gateway.ts'
import { onlyFile } from '../harness/only-file.ts'

const file = `server:
  port: 0
auth:
  keys:
    - key: sk-aaaaaaaaaaaaaaaaaaaaaaaa
      name: web
      team: core
teams:
  core:
    budgets:
      - limitUsd: 5
        window: day
limits:
  deadlineMs: 60000
providers:
  simulator: {}
models:
  "*":
    route: fallback
    deployments:
      - provider: simulator
`

test('every setting is reported with its place in the file, its variable, or as a default', async () => {
  await using scene = await setUp({ LOG_LEVEL: 'warn', DATA_DIR: '' })
  const { settings, refusal } = await scene.settings()
  const settingAt = (place: string) => settings.find((one) => one.place === place)
  const common = { secret: false, file: null, line: null, variable: null }
  expect(settingAt('limits.deadlineMs')).toEqual({
    ...{ ...common, place: 'limits.deadlineMs', value: 60_000 },
    ...{ from: 'file', file: 'gateway.yaml', line: 14 },
  })
  expect(settingAt('log.level')).toMatchObject({ value: 'warn', from: 'environment', variable: 'LOG_LEVEL' })
  expect(settingAt('limits.fanOut')).toEqual({ ...common, place: 'limits.fanOut', value: 8, from: 'default' })
  expect(settingAt('cors.origins')).toMatchObject({ value: [], from: 'default' })
  expect(settingAt('auth.adminKey')).toMatchObject({ value: '…9999', secret: true, variable: 'ADMIN_KEY' })
  expect(settingAt('auth.keys[0].key')).toMatchObject({ value: '…aaaa', secret: true, line: 5 })
  expect(settingAt('models["*"].deployments[0].provider')).toMatchObject({ value: 'simulator', line: 21 })
  expect(refusal).toBeNull()
})

test('no secret is in it', async () => {
  await using scene = await setUp()
  const text = JSON.stringify(await scene.settings())
  expect(text).not.toContain('sk-aaaaaaaaaaaaaaaaaaaaaaaa')
  expect(text).not.toContain(adminKey)
})

test('what the file declares is reported with its line, moved lines included', async () => {
  await using scene = await setUp()
  const id = digestOf('file:web')
  const declaredAt = async () =>
    (await scene.settings()).declared.map(({ kind, id, line }) => [kind, id, line])
  expect(await declaredAt()).toEqual(
    expect.arrayContaining([
      ['key', id, 5],
      ['team', 'core', 9],
    ]),
  )
  scene.reload(`# A comment.\n${file}`)
  expect(await declaredAt()).toEqual(expect.arrayContaining([['key', id, 6]]))
  expect(scene.logged()).toContain('the configuration has not changed')
})

test('what is wrong with a configuration that was refused is reported until one is taken', async () => {
  await using scene = await setUp()
  scene.reload(file.replace('deadlineMs: 60000', 'deadlineMs: soon'))
  const { reloads, refusal, settings } = await scene.settings()
  expect(reloads).toEqual({ taken: 0, refused: 1 })
  expect(refusal).toEqual({
    at: expect.any(String),
    problems: [
      {
        ...{ source: 'gateway.yaml', line: 14, column: null, place: 'limits.deadlineMs' },
        message: expect.stringContaining('found "soon", expected a whole number'),
      },
    ],
  })
  expect(settings).toContainEqual(expect.objectContaining({ place: 'limits.deadlineMs', value: 60_000 }))
  scene.reload(file.replace('60000', '50000'))
  expect((await scene.settings()).refusal).toBeNull()
})

test('a budget names what calls that it refused name, and whose it is', async () => {
  await using scene = await setUp()
  const { data } = await scene.get('/budgets')
  expect(data).toMatchObject([
    { id: 'team:core/day', scope: 'team', scope_id: 'core', limit_name: 'budget/team:core/day' },
  ])
})

const adminKey = 'an-admin-key-that-ends-in-9999'

/** The fields of the answer that these tests read. */
type Settings = {
  readonly settings: readonly { readonly place: string; readonly value: unknown }[]
  readonly declared: readonly { readonly kind: string; readonly id: string; readonly line: number }[]
  readonly reloads: unknown
  readonly refusal: unknown
}

async function setUp(environment: Record<string, string> = {}) {
  const load = (text: string) => {
    const given = { ADMIN_KEY: adminKey, ...environment }
    const config = loadConfig({ environment: given, readFile: onlyFile(text), providers })
    return inTest({ ...config, isDataDirectoryGiven: false })
  }
  const gateway = await startTestGateway(load(file))
  const get = async (path: string): Promise<{ readonly data: unknown }> => {
    const headers = { authorization: `Bearer ${adminKey}` }
    const response = await fetch(`${gateway.url}/admin/api${path}`, { headers })
    expect(response.status).toBe(200)
    return (await response.json()) as { readonly data: unknown }
  }
  return {
    get,
    settings: async () => (await get('/settings')).data as Settings,
    reload: (text: string) => gateway.gateway.reload(() => load(text)),
    logged: gateway.logged,
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  }
}
