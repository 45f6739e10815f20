import { OpenRouter } from '@openrouter/sdk'
import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { startHeldUpstream } from '../tenants/held-upstream.ts'
import { ask, configAt, secret } from '../tenants/stage.ts'

const adminKey = 'pgm_admin-0123456789'
const usage = { prompt_tokens: 8, completion_tokens: 5 }
const cost = 8 * 1000 + 5 * 2000

async function stage() {
  const upstream = await startHeldUpstream({ usage, isHeld: false })
  const { tenants: _, ...config } = configAt(upstream.url, {})
  const gateway = await startTestGateway({ ...config, adminKeys: [{ key: adminKey, role: 'admin' }] })
  return {
    gateway,
    sdk: new OpenRouter({ apiKey: adminKey, serverURL: `${gateway.url}/admin/api` }),
    as: (key: string) => new OpenRouter({ apiKey: key, serverURL: `${gateway.url}/v1` }),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

describe('OpenRouter’s own SDK', () => {
  test('makes, reads, lists, changes and deletes keys', async () => {
    await using scene = await stage()
    const { sdk, gateway } = scene
    const made = await sdk.apiKeys.create({
      requestBody: { name: 'ci', limit: 0.01, limitReset: 'monthly' },
    })
    expect(made.key).toMatch(/^pgw_[\w-]{43}$/)
    expect(made.data).toMatchObject({
      ...{ name: 'ci', limit: 0.01, limitRemaining: 0.01, limitReset: 'monthly', usage: 0, disabled: false },
      label: `${made.key.slice(0, 7)}...${made.key.slice(-3)}`,
    })
    const { hash } = made.data
    const called = await ask(gateway.url, {}, { authorization: `Bearer ${made.key}` })
    expect(called.status).toBe(200)
    await called.text()
    const got = await sdk.apiKeys.get({ hash })
    expect(got.data).toMatchObject({
      usage: cost / 1e9,
      usageDaily: cost / 1e9,
      limitRemaining: 0.01 - cost / 1e9,
    })
    const own = await scene.as(made.key).apiKeys.getCurrentKeyMetadata()
    expect(own.data).toMatchObject({ label: made.data.label, limit: 0.01, usage: cost / 1e9 })
    const changed = await sdk.apiKeys.update({
      hash,
      requestBody: { disabled: true, limit: 5, limitReset: null },
    })
    expect(changed.data).toMatchObject({ disabled: true, limit: 5, limitReset: null })
    // A limit over all time counts what was spent before there was one.
    const seen = await sdk.apiKeys.get({ hash })
    expect(seen.data.limitRemaining).toBe(5 - cost / 1e9)
    expect((await ask(gateway.url, {}, { authorization: `Bearer ${made.key}` })).status).toBe(401)
    const listed = await sdk.apiKeys.list()
    expect(listed.data.map((key) => key.hash)).toContain(hash)
    const enabled = await sdk.apiKeys.list({ includeDisabled: false })
    expect(enabled.data.map((key) => key.hash)).not.toContain(hash)
    expect(await sdk.apiKeys.delete({ hash })).toEqual({ deleted: true })
    await expect(sdk.apiKeys.get({ hash })).rejects.toMatchObject({ statusCode: 404 })
  })

  test('is refused what the file owns, and what its key may not do', async () => {
    await using scene = await stage()
    const { sdk, as } = scene
    const declared = (await sdk.apiKeys.list()).data.find(({ name }) => name === '')
    const change = sdk.apiKeys.update({ hash: declared?.hash ?? '', requestBody: { limit: 1 } })
    await expect(change).rejects.toMatchObject({ statusCode: 409 })
    await expect(as(adminKey).apiKeys.getCurrentKeyMetadata()).rejects.toMatchObject({ statusCode: 401 })
    const asCaller = new OpenRouter({ apiKey: secret, serverURL: `${scene.gateway.url}/admin/api` })
    await expect(asCaller.apiKeys.list()).rejects.toMatchObject({ statusCode: 401 })
  })

  test('disables a key that the file owns until it is enabled again', async () => {
    await using scene = await stage()
    const { sdk, gateway } = scene
    const { hash = '' } = (await sdk.apiKeys.list()).data.find(({ name }) => name === '') ?? {}
    expect((await ask(gateway.url)).status).toBe(200)
    await sdk.apiKeys.update({ hash, requestBody: { disabled: true } })
    expect((await ask(gateway.url)).status).toBe(401)
    await sdk.apiKeys.update({ hash, requestBody: { disabled: false } })
    expect((await ask(gateway.url)).status).toBe(200)
  })
})
