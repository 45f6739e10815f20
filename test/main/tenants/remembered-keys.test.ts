import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Config } from '../../../src/config.ts'
import { openAdmin } from '../../../src/main/tenants/open-admin.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { inTest, simulatorConfig, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'
import { noPostgres, startPostgres } from '../../ledger/postgres-server.ts'
import { mountSmallDisk, noSmallDisk } from '../../ledger/small-disk.ts'

/** Keys are only in the data directory, so that nothing else closes the gateway. */
function inDirectory(dataDirectory: string, more: Partial<Config['ledger']> = {}): Partial<Config> {
  const ledger = { ...simulatorConfig.ledger, enabled: true, ...more }
  return { dataDirectory, isDataDirectoryGiven: true, ledger, drain: { delayMs: 0, graceMs: 0 } }
}

test.skipIf(noSmallDisk)(
  'keys of a data directory that is read-only are known: the gateway stays closed',
  async () => {
    using disk = mountSmallDisk(16 * 1024 * 1024)
    const config = inDirectory(join(disk.path, 'data'))
    const key = await keyMadeIn(config)
    execFileSync('mount', ['-o', 'remount,ro', disk.path])
    await using gateway = await startTestGateway(config)
    await using admin = await openAdmin(inTest(config), createLog('silent', { write() {} }))
    const kept = expect.objectContaining({ name: 'kept' })
    expect(await admin.ask('GET', '/admin/api/keys')).toMatchObject({ data: expect.arrayContaining([kept]) })
    await expect(admin.ask('POST', '/admin/api/keys', { name: 'lost' })).rejects.toThrow('would be lost')
    expect(gateway.logged()).toContain('calls are recorded in the log only')
    expect(await statusesOf(gateway, key)).toEqual({ known: 200, unknown: 401, management: 401 })
  },
)

test.skipIf(noSmallDisk)(
  'stored budgets need a writable directory, as those of the configuration do',
  async () => {
    using disk = mountSmallDisk(16 * 1024 * 1024)
    const config = inDirectory(join(disk.path, 'data'))
    await keyMadeIn(config, { limit: 1 })
    execFileSync('mount', ['-o', 'remount,ro', disk.path])
    await expect(startTestGateway(config)).rejects.toThrow('because there are budgets')
  },
)

test.skipIf(noSmallDisk)('a new directory on a full disk is one that cannot be written', async () => {
  using disk = mountSmallDisk(65_536)
  const fill = () => {
    for (;;) appendFileSync(join(disk.path, 'filler'), Buffer.alloc(4096))
  }
  expect(fill).toThrow('ENOSPC')
  await using gateway = await startTestGateway(inDirectory(join(disk.path, 'data')))
  expect(gateway.logged()).toContain('calls are recorded in the log only')
})

test('keys are known while the ledger is turned off', async () => {
  const directory = await temporaryDirectory('keys-')
  const key = await keyMadeIn(inDirectory(directory))
  await using gateway = await startTestGateway(inDirectory(directory, { enabled: false }))
  expect(await statusesOf(gateway, key)).toEqual({ known: 200, unknown: 401, management: 401 })
})

test.for(['restored from a backup', 'whose journal was deleted'])(
  'keys of a database %s are known, and deleting the last one closed the gateway for good',
  async () => {
    const directory = await temporaryDirectory('keys-')
    const key = await keyMadeIn(inDirectory(directory))
    await rm(join(directory, 'journal'), { recursive: true })
    await rm(join(directory, 'node'))
    const first = await startTestGateway(inDirectory(directory))
    expect(await statusesOf(first, key)).toEqual({ known: 200, unknown: 401, management: 401 })
    expect(first.logged()).toContain('budgets start at zero')
    await first[Symbol.asyncDispose]()
    await using again = await startTestGateway(inDirectory(directory))
    expect(await statusesOf(again, key)).toEqual({ known: 200, unknown: 401, management: 401 })
  },
)

test.skipIf(noPostgres)(
  'a gateway that knows no keys does not serve before it has read those of its database',
  async () => {
    await using server = await startPostgres()
    const databaseUrl = await server.createDatabase()
    const key = await keyMadeIn(inDirectory(await temporaryDirectory('keys-'), { databaseUrl }))
    await server.kill()
    const starting = startTestGateway(inDirectory(await temporaryDirectory('keys-'), { databaseUrl }))
    await server.start()
    await using gateway = await starting
    expect(await statusesOf(gateway, key)).toEqual({ known: 200, unknown: 401, management: 401 })
  },
)

async function keyMadeIn(config: Partial<Config>, more: object = {}): Promise<string> {
  await using gateway = await startTestGateway(config)
  return await makeKey(gateway, more)
}

async function makeKey({ url }: TestGateway, more: object = {}): Promise<string> {
  const response = await fetch(`${url}/admin/api/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'kept', ...more }),
  })
  expect(response.status).toBe(201)
  return ((await response.json()) as { key: string }).key
}

async function statusesOf({ url }: TestGateway, key: string) {
  const call = async (bearer: string) => {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
      body: JSON.stringify({ model: 'sim-echo', messages: [{ role: 'user', content: 'x' }] }),
    })
    await response.body?.cancel()
    return response.status
  }
  const keys = await fetch(`${url}/admin/api/keys`)
  await keys.body?.cancel()
  return { known: await call(key), unknown: await call('pgw_unknown-0123456789'), management: keys.status }
}
