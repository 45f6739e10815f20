import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backUp } from '../../../src/ledger/backup.ts'
import { sqliteMigrations } from '../../../src/ledger/store/sqlite/migrations.ts'
import { openSqliteStore } from '../../../src/ledger/store/sqlite/sqlite-store.ts'
import { runGateway, startGateway } from '../../acceptance/gateway-process.ts'
import { makeDirectory } from '../../ledger/directory.ts'

test('migrate makes the schema, and says before what it would do', async () => {
  await using directory = await makeDirectory()
  const run = (...words: readonly string[]) =>
    runGateway(['migrate', ...words], { directory: directory.path })
  const each = (word: string) => sqliteMigrations.map(({ name }) => `${word}: ${name}\n`).join('')
  expect((await run('--dry-run')).stdout).toBe(each('missing'))
  expect(await readdir(directory.path)).not.toContain('data')
  expect(await run()).toMatchObject({ code: 0, stdout: each('done') })
  expect((await run('--dry-run')).stdout).toBe('The schema is up to date.\n')
})

test('a backup of a gateway that continues has its calls, and usage tells of them', async () => {
  await using gateway = await startGateway()
  const { directory } = gateway
  for (let call = 0; call < 3; call++) {
    const response = await fetch(`${gateway.url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm1', prompt: 'Once' }),
    })
    await response.text()
  }
  // Who reads has the store take what there is.
  expect((await fetch(`${gateway.url}/admin/api/usage`)).status).toBe(200)
  const file = join(directory, 'copy.db')
  expect(await runGateway(['backup', file], { directory })).toMatchObject({ code: 0, stderr: '' })
  await using store = openSqliteStore(file)
  expect((await store.calls({ filters: {}, limit: 10 })).calls).toHaveLength(3)
  expect(await runGateway(['backup', file], { directory })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('already exists'),
  })
  const table = await runGateway(['usage', '--by', 'model'], { directory })
  expect(table.stdout.split('\n').map((line) => line.split(/ {2,}/).slice(0, 3))).toMatchObject([
    ['model', 'requests', 'errors'],
    ['m1', '3', '0'],
    [''],
  ])
  const { stdout } = await runGateway(['usage', '--by', 'day,provider', '--since', '1d', '--json'], {
    directory,
  })
  expect(JSON.parse(stdout)).toMatchObject({ data: [{ provider: 'simulator', requests: 3 }] })
  // It says who called whom, like the data directory.
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('a backup of nothing fails, and says so', async () => {
  const { code, stderr } = await runGateway(['backup', 'copy.db'])
  expect(code).toBe(1)
  expect(stderr).toContain('There is no ledger in ')
})

test('a backup that fails leaves no file behind', async () => {
  await using directory = await makeDirectory()
  const path = join(directory.path, 'ledger.db')
  await writeFile(path, 'this is no database, '.repeat(1000))
  await expect(backUp(path, join(directory.path, 'copy.db'))).rejects.toThrow('not a database')
  expect(await readdir(directory.path)).toEqual(['ledger.db'])
})

test.for<[words: readonly string[], environment: Record<string, string>, message: string]>([
  [['usage'], {}, 'There is no ledger in '],
  [['usage'], { DATABASE_URL: 'postgres://user:secret@127.0.0.1:1/none' }, 'cannot be used: ECONNREFUSED'],
  [['migrate'], { DATABASE_URL: 'postgres://user:secret@127.0.0.1:1/none' }, 'cannot be used: ECONNREFUSED'],
])('%j without a ledger says so in one line', async ([words, environment, message]) => {
  const { code, stderr } = await runGateway(words, { environment, file: '{}' })
  expect(code).toBe(1)
  expect(stderr).toContain(message)
  expect(stderr).not.toContain('secret')
  expect(stderr.trim().split('\n')).toHaveLength(1)
})
