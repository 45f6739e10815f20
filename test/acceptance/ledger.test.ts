import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readFrames } from '../../src/ledger/journal/frame.ts'
import { listSegments, segmentPath } from '../../src/ledger/journal/segments.ts'
import { openSqliteStore } from '../../src/ledger/store/sqlite/sqlite-store.ts'
import { makeDirectory } from '../ledger/directory.ts'
import { runGateway, startGateway } from './gateway-process.ts'

test('a call is in the journal before its caller has the last byte, whole or streamed, answered or refused', async () => {
  await using gateway = await startGateway()
  const journal = join(gateway.directory, 'data', 'journal')
  for (const body of [{ stream: false }, { stream: true }, { stream: false, n: 'many' }]) {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }], ...body }),
    })
    await response.text()
    const calls = await callsIn(journal)
    expect(calls.at(-1)).toMatchObject({
      requestId: response.headers.get('x-request-id'),
      status: response.status,
    })
  }
  expect((await stat(join(gateway.directory, 'data'))).mode & 0o777).toBe(0o700)
})

test('what a gateway served is in its store once it has stopped, and /health says how far it is', async () => {
  await using gateway = await startGateway()
  for (let call = 0; call < 3; call++) await ask(gateway.url)
  const health = async () => (await (await fetch(`${gateway.url}/health`)).json()) as { ledger: object }
  await expect.poll(async () => (await health()).ledger).toMatchObject({ status: 'ok', behind_bytes: 0 })
  expect(await (await fetch(`${gateway.url}/metrics`)).text()).toContain(
    'pandotate_ledger_shipped_calls_total 3\n',
  )
  await ask(gateway.url)
  expect((await gateway.stop()).code).toBe(0)
  await using store = openSqliteStore(join(gateway.directory, 'data', 'ledger.db'))
  expect((await store.calls({ filters: {}, limit: 10 })).calls).toHaveLength(4)
})

test('killed repeatedly under load, no call is lost that a caller saw, and none is there twice', async () => {
  await using directory = await makeDirectory()
  const seen: string[] = []
  for (let round = 0; round < 4; round++) {
    const gateway = await startGateway({ directory: directory.path })
    let isKilled = false
    const callers = Array.from({ length: 8 }, async () => {
      while (!isKilled) {
        const id = await ask(gateway.url).catch(() => undefined)
        if (id !== undefined) seen.push(id)
      }
    })
    const aim = seen.length + 30 + round * 10
    await expect.poll(() => seen.length).toBeGreaterThan(aim)
    isKilled = true
    gateway.kill()
    await Promise.all([...callers, gateway.ended])
  }
  const last = await startGateway({ directory: directory.path })
  expect((await last.stop()).code).toBe(0)
  await using store = openSqliteStore(join(directory.path, 'data', 'ledger.db'))
  const stored = (await store.calls({ filters: {}, limit: 1_000_000 })).calls.map(
    ({ call }) => call.requestId,
  )
  expect(new Set(stored).size).toBe(stored.length)
  expect(seen.filter((id) => !stored.includes(id))).toEqual([])
  const [sums] = await store.usage({
    from: 0,
    to: Date.now() + 86_400_000,
    by: [],
    filters: {},
    withHistograms: false,
    limit: 1,
  })
  expect(sums?.sums[0]).toBe(stored.length)
})

test('a second gateway in the same directory ends once it has waited, and names the owner', async () => {
  await using gateway = await startGateway()
  const { code, stderr } = await runGateway(['serve'], {
    environment: { DATA_DIR: join(gateway.directory, 'data') },
    file: 'drain: { graceMs: 200 }',
  })
  expect(code).toBe(1)
  expect(stderr).toContain(`in use by process ${gateway.pid} on `)
})

test('one that was given no directory serves without a ledger there, and says who has it', async () => {
  await using gateway = await startGateway()
  const other = await startGateway({ directory: gateway.directory })
  const warning = await other.line(({ msg }) => msg.startsWith('calls are recorded in the log only'))
  expect(warning['reason']).toContain(`in use by process ${gateway.pid} on `)
  await other[Symbol.asyncDispose]()
})

test('it does not serve where the directory has keys: it could not know what becomes of them', async () => {
  await using gateway = await startGateway()
  const made = await fetch(`${gateway.url}/admin/api/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'made' }),
  })
  expect(made.status).toBe(201)
  const { code, stderr } = await runGateway(['serve'], { directory: gateway.directory })
  expect(code).toBe(1)
  expect(stderr).toContain(`in use by process ${gateway.pid} on `)
})

/** Has a call answered whole, and gives its id. */
async function ask(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] }),
  })
  await response.text()
  return response.headers.get('x-request-id') ?? ''
}

/** The calls of a journal, in order. */
async function callsIn(directory: string): Promise<readonly Record<string, unknown>[]> {
  const calls: Record<string, unknown>[] = []
  for (const { segment } of await listSegments(directory)) {
    const { frames } = readFrames(await readFile(segmentPath(directory, segment)), false)
    for (const { text } of frames) calls.push(JSON.parse(text) as Record<string, unknown>)
  }
  return calls.filter(({ type }) => type === 'call')
}
