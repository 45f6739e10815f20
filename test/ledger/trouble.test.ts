import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { openSqliteStore } from '../../src/ledger/store/sqlite/sqlite-store.ts'
import { simulatorConfig, startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

test('a ledger that is not a database fails no call, is reported, and has all calls once it is repaired', async () => {
  const directory = await temporaryDirectory('trouble-')
  const path = join(directory, 'ledger.db')
  // Without a journal, nobody could know its keys.
  await (await start(directory))[Symbol.asyncDispose]()
  await writeFile(path, 'this is no database, '.repeat(1000))
  {
    await using gateway = await start(directory)
    for (let call = 0; call < 5; call++) await ask(gateway)
    await expect.poll(() => statusOf(gateway)).toBe('store_fails')
    await rm(path)
    await ask(gateway)
    await expect.poll(() => statusOf(gateway)).toBe('ok')
  }
  expect(await callsIn(path)).toBe(6)
})

test('a locked ledger fails no call, and has all calls once it is unlocked', async () => {
  const directory = await temporaryDirectory('trouble-')
  const path = join(directory, 'ledger.db')
  {
    await using gateway = await start(directory)
    await ask(gateway)
    await expect.poll(() => callsIn(path).catch(() => 0)).toBe(1)
    const other = new DatabaseSync(path, { timeout: 10_000 })
    other.exec('begin immediate')
    for (let call = 0; call < 5; call++) await ask(gateway)
    await expect.poll(() => statusOf(gateway)).toBe('store_fails')
    expect(await callsIn(path)).toBe(1)
    other.exec('rollback')
    other.close()
    await expect.poll(() => statusOf(gateway)).toBe('ok')
  }
  expect(await callsIn(path)).toBe(6)
})

test('a ledger whose file is deleted while it is in use is made again, with the calls of the journal', async () => {
  const directory = await temporaryDirectory('trouble-')
  const path = join(directory, 'ledger.db')
  {
    await using gateway = await start(directory)
    await ask(gateway)
    await expect.poll(() => callsIn(path).catch(() => 0)).toBe(1)
    expect(await listed(gateway)).toBe(1)
    for (const end of ['', '-wal', '-shm']) await rm(`${path}${end}`, { force: true })
    await ask(gateway)
    await expect.poll(() => listed(gateway)).toBe(2)
    await expect.poll(() => statusOf(gateway)).toBe('ok')
  }
  expect(await callsIn(path)).toBe(2)
})

test('a ledger that opens but takes no calls is reported once, until it takes them', async () => {
  const directory = await temporaryDirectory('trouble-')
  const path = join(directory, 'ledger.db')
  await using gateway = await start(directory)
  await ask(gateway)
  await expect.poll(() => callsIn(path).catch(() => 0)).toBe(1)
  change(path, "create trigger none before insert on calls begin select raise(abort, 'none'); end")
  await ask(gateway)
  await expect.poll(() => failuresOf(gateway)).toBeGreaterThan(2)
  expect(gateway.logged().split('store fails')).toHaveLength(2)
  expect(gateway.logged()).not.toContain('store works again')
  change(path, 'drop trigger none')
  await expect.poll(() => statusOf(gateway)).toBe('ok')
  expect(gateway.logged()).toContain('store works again')
})

function change(path: string, text: string): void {
  const database = new DatabaseSync(path, { timeout: 10_000 })
  database.exec(text)
  database.close()
}

async function failuresOf({ url }: TestGateway): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^pandotate_ledger_store_failures_total (\d+)$/m.exec(text)?.[1])
}

/** The calls of the management API. Undefined while it cannot say. */
async function listed({ url }: TestGateway): Promise<number | undefined> {
  const response = await fetch(`${url}/admin/api/calls`)
  const { data } = (await response.json()) as { data?: readonly object[] }
  return data?.length
}

async function start(dataDirectory: string): Promise<TestGateway> {
  const ledger = { ...simulatorConfig.ledger, enabled: true }
  return await startTestGateway({ dataDirectory, isDataDirectoryGiven: true, ledger })
}

async function ask({ url }: TestGateway): Promise<void> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] }),
  })
  expect(response.status, await response.text()).toBe(200)
}

async function statusOf({ url }: TestGateway): Promise<unknown> {
  const health = (await (await fetch(`${url}/health`)).json()) as {
    readonly ledger: { readonly status: string }
  }
  return health.ledger.status
}

async function callsIn(path: string): Promise<number> {
  await using store = openSqliteStore(path)
  return (await store.calls({ filters: {}, limit: 100 })).calls.length
}
