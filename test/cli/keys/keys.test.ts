import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { lockDirectory } from '../../../src/ledger/lock.ts'
import { runCommand as run } from '../../harness/run-command.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

describe('without a gateway that runs', () => {
  test('says where it was asked for, and what to set, if another process has the data directory', async () => {
    const directory = await temporaryDirectory('keys-')
    using _lock = await lockDirectory(directory, { waitMs: 0, what: 'gateway' })
    const file = join(directory, 'gateway.yaml')
    await writeFile(file, `dataDirectory: ${directory}\ndrain: { delayMs: 0, graceMs: 10 }\n`)
    vi.stubEnv('GATEWAY_CONFIG', file)
    vi.stubEnv('PORT', '1')
    const { code, printed } = await run('keys', 'list')
    expect(code).toBe(1)
    expect(printed).toContain('No gateway answers at http://127.0.0.1:1.')
    expect(printed).toContain(`${directory} is in use by process ${process.pid}`)
    expect(printed).toContain('run this command with its PORT and HOST')
  })

  test('every key is listed and found, however many there are', async () => {
    const directory = await temporaryDirectory('keys-')
    const file = join(directory, 'gateway.yaml')
    const keys = Array.from({ length: 1001 }, (_, at) => ({ key: `sk-${at}-0123456789ab`, name: `k${at}` }))
    const expired = { key: 'sk-expired-0123456789', name: 'old', expiresAt: '2020-01-01' }
    await writeFile(file, JSON.stringify({ dataDirectory: directory, auth: { keys: [...keys, expired] } }))
    vi.stubEnv('GATEWAY_CONFIG', file)
    vi.stubEnv('PORT', '1')
    expect((await run('keys', 'show', 'k1000')).code).toBe(0)
    const { printed } = await run('keys', 'list')
    expect(printed.match(/^k\d+ .* good$/gm)).toHaveLength(1001)
    expect(printed).toMatch(/^old .* expired$/m)
  })

  test('keys and teams are made, listed, rotated, disabled and deleted in the data directory', async () => {
    vi.stubEnv('DATA_DIR', await temporaryDirectory('keys-'))
    vi.stubEnv('PORT', '1')
    expect(await run('teams', 'create', 'research', '--limit', '100', '--reset', 'monthly')).toMatchObject({
      code: 0,
    })
    const made = await run(
      'keys',
      'create',
      'ci',
      '--team',
      'research',
      '--limit',
      '0.5',
      '--rpm',
      '10',
      '--json',
    )
    const { data, key } = JSON.parse(made.printed)
    expect(key).toMatch(/^pgw_/)
    expect(data).toMatchObject({ name: 'ci', team: 'research', limit: 0.5, rpm: 10 })
    const listed = await run('keys', 'list')
    expect(listed.printed).toContain('ci')
    expect(listed.printed).not.toContain(key)
    const rotated = await run('keys', 'rotate', 'ci')
    expect(rotated.printed).toMatch(/^pgw_[\w-]{43}\n$/)
    expect(await run('keys', 'disable', 'ci')).toEqual({ code: 0, printed: 'Disabled ci.\n' })
    const shown = await run('keys', 'show', data.hash.slice(0, 10), '--json')
    expect(JSON.parse(shown.printed).data.disabled).toBe(true)
    expect((await run('teams', 'list')).printed).toMatch(/research\s+1\s+100\s+monthly/)
    expect((await run('teams', 'delete', 'research', '--abort')).code).toBe(0)
    expect(await run('keys', 'show', 'ci')).toEqual({ code: 1, printed: 'There is no such key: ci.\n' })
  })
})
