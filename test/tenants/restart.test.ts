import { cp, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Config } from '../../src/config.ts'
import { simulatorConfig, startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { startHeldUpstream } from './held-upstream.ts'
import { ask, configAt, keyWith, rule } from './stage.ts'

const usage = { prompt_tokens: 8, completion_tokens: 5 }
const cost = 8 * 1000 + 5 * 2000
const adminKey = 'pgm_admin-0123456789'

async function directory(): Promise<Partial<Config>> {
  const dataDirectory = await temporaryDirectory('tenants-')
  return {
    dataDirectory,
    isDataDirectoryGiven: true,
    ledger: { ...simulatorConfig.ledger, enabled: true },
    drain: { delayMs: 0, graceMs: 1000 },
  }
}

async function admin<Data = readonly object[]>(
  gateway: TestGateway,
  path: string,
  key: string,
  body?: object,
): Promise<Admin<Data>> {
  const response = await fetch(`${gateway.url}/admin/api${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return (await response.json()) as Admin<Data>
}

type Admin<Data> = {
  /** The fields that the test reads. */
  readonly data: Data
  readonly key: string
}

type AuditRow = { readonly after: object }
type BudgetRow = { readonly id: string; readonly held_nano_usd: number }
type HoldRow = { readonly call: string }

describe('after a restart', () => {
  test('keys that were made, what they have spent, and their holds are what they were', async () => {
    await using upstream = await startHeldUpstream({ usage, isHeld: false })
    const kept = await directory()
    const config = configAt(upstream.url, {}, kept)
    const { tenants: _, ...plain } = { ...config, adminKeys: [{ key: adminKey, role: 'admin' as const }] }
    let secret = ''
    let hash = ''
    {
      await using gateway = await startTestGateway(plain)
      const made = await admin<{ readonly hash: string }>(gateway, '/keys', adminKey, {
        ...{ name: 'kept', limit: 1, limit_reset: 'daily' },
      })
      secret = made.key
      hash = made.data.hash
      expect((await ask(gateway.url, {}, { authorization: `Bearer ${secret}` })).status).toBe(200)
    }
    await using gateway = await startTestGateway(plain)
    const { data } = await admin(gateway, `/keys/${hash}`, adminKey)
    expect(data).toMatchObject({
      ...{ name: 'kept', limit: 1, usage_nano_usd: cost, usage_daily_nano_usd: cost },
      limit_remaining_nano_usd: 1e9 - cost,
      held_nano_usd: 0,
    })
    const [created] = (await admin<readonly AuditRow[]>(gateway, '/audit', adminKey)).data
    expect(created).toMatchObject({ action: 'key.create', subject: { kind: 'key', id: hash }, before: null })
    expect(created?.after).toMatchObject({ name: 'kept' })
    expect(created?.after).not.toHaveProperty('secrets')
    expect((await ask(gateway.url, {}, { authorization: `Bearer ${secret}` })).status).toBe(200)
  })

  test('authentication stays on, though the last key is gone', async () => {
    await using upstream = await startHeldUpstream({ usage, isHeld: false })
    const kept = await directory()
    const config = configAt(upstream.url, {}, { ...kept, keys: [] })
    {
      await using gateway = await startTestGateway(config)
      expect((await ask(gateway.url)).status).toBe(200)
      const { data } = await admin<{ readonly name: string }>(gateway, '/keys', '', { name: 'only' })
      expect((await ask(gateway.url)).status).toBe(401)
      expect(data.name).toBe('only')
    }
    await using gateway = await startTestGateway(config)
    expect((await ask(gateway.url)).status).toBe(401)
    await using open = await startTestGateway({ ...config, ...(await directory()) })
    expect((await ask(open.url)).status).toBe(200)
  })
})

describe('a gateway that nobody could manage', () => {
  test('makes a management key once, in a file that its user alone can read', async () => {
    await using upstream = await startHeldUpstream({ usage, isHeld: false })
    const kept = await directory()
    const config = configAt(upstream.url, { keys: [keyWith({ budgets: [rule(1e9)] })] }, kept)
    const path = join(kept.dataDirectory ?? '', 'admin-key')
    let secret = ''
    {
      await using gateway = await startTestGateway(config)
      secret = (await readFile(path, 'utf8')).trim()
      expect(secret).toMatch(/^pgm_/)
      expect((await stat(path)).mode & 0o777).toBe(0o600)
      expect(gateway.logged()).toContain(path)
      expect(gateway.logged()).not.toContain(secret)
      expect((await admin(gateway, '/budgets', secret)).data).toMatchObject([{ title: 'tester total' }])
    }
    await using again = await startTestGateway(config)
    expect((await readFile(path, 'utf8')).trim()).toBe(secret)
    expect((await admin(again, '/keys', secret)).data).toHaveLength(2)
  })
})

test('with the first key of all there is a management key, too, in its file after a rotation as well', async () => {
  const kept = await directory()
  await using gateway = await startTestGateway(configAt('http://127.0.0.1:9/v1', {}, { ...kept, keys: [] }))
  await admin(gateway, '/keys', '', { name: 'only' })
  const secret = (await readFile(join(kept.dataDirectory ?? '', 'admin-key'), 'utf8')).trim()
  const { data } = await admin<readonly { name: string; hash: string }[]>(gateway, '/keys', secret)
  expect(data.map(({ name }) => name).toSorted()).toEqual(['admin-key', 'only'])
  const made = data.find(({ name }) => name === 'admin-key')
  await admin(gateway, `/keys/${made?.hash}/rotate`, secret, {})
  const rotated = (await readFile(join(kept.dataDirectory ?? '', 'admin-key'), 'utf8')).trim()
  expect(rotated).not.toBe(secret)
  expect((await admin<readonly object[]>(gateway, '/keys', rotated)).data).toHaveLength(2)
})

test('a key that the file declares and the API created is a problem of the file', async () => {
  const kept = await directory()
  const config = configAt('http://127.0.0.1:9/v1', {}, { ...kept, keys: [] })
  {
    await using gateway = await startTestGateway(config)
    await admin(gateway, '/keys', '', { name: 'tester' })
  }
  const declaring = configAt('http://127.0.0.1:9/v1', { keys: [keyWith({})] }, kept)
  await expect(startTestGateway(declaring)).rejects.toThrow(/auth\.keys: The key "tester" is in the/)
})

test('budgets are not kept where a restart would forget them', async () => {
  const config = configAt('http://127.0.0.1:9/v1', { keys: [keyWith({ budgets: [rule(1e9)] })] })
  const nowhere = {
    dataDirectory: '/etc/hostname/data',
    ledger: { ...simulatorConfig.ledger, enabled: true },
  }
  await expect(startTestGateway({ ...config, ...nowhere })).rejects.toThrow('set DATA_DIR')
})

test('after a crash what was held is uncertain at its worst, until somebody says what it came to', async () => {
  await using upstream = await startHeldUpstream({ usage })
  const kept = await directory()
  const tenants = { keys: [keyWith({ budgets: [rule(1e9)] })] }
  const config = { ...configAt(upstream.url, tenants, kept) }
  await using gateway = await startTestGateway(config)
  const secret = (await readFile(join(kept.dataDirectory ?? '', 'admin-key'), 'utf8')).trim()
  const asking = ask(gateway.url)
  await expect.poll(() => upstream.asked.length).toBe(1)
  const [before] = (await admin<readonly BudgetRow[]>(gateway, '/budgets', secret)).data
  expect(before?.held_nano_usd).toBeGreaterThan(200_000)
  const [holder] = (
    await admin<readonly HoldRow[]>(
      gateway,
      `/budgets/holds?budget=${encodeURIComponent(before?.id ?? '')}`,
      secret,
    )
  ).data
  expect(holder).toMatchObject({ held_nano_usd: before?.held_nano_usd })
  // What a process that ends at this moment leaves behind.
  const left = await directory()
  await cp(kept.dataDirectory ?? '', left.dataDirectory ?? '', { recursive: true })
  await using next = await startTestGateway({ ...config, ...left })
  const [after] = (await admin(next, '/budgets', secret)).data
  expect(after).toMatchObject({
    ...{ spent_nano_usd: 0, held_nano_usd: 0, uncertain_nano_usd: before?.held_nano_usd },
    remaining_nano_usd: 1e9 - (before?.held_nano_usd ?? 0),
  })
  const settled = await admin(next, `/calls/${holder?.call}/settle`, secret, { cost_usd: cost / 1e9 })
  expect(settled.data).toMatchObject({ settled: true, cost_nano_usd: cost })
  const again = await admin(next, `/calls/${holder?.call}/settle`, secret, { cost_usd: 5 })
  expect(again.data).toMatchObject({ settled: false })
  expect((await admin(next, '/budgets', secret)).data).toMatchObject([
    { spent_nano_usd: cost, uncertain_nano_usd: 0 },
  ])
  upstream.release()
  expect((await asking).status).toBe(200)
})
