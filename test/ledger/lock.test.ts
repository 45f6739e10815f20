import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { DirectoryInUse, lockDirectory } from '../../src/ledger/lock.ts'
import { makeDirectory } from './directory.ts'

const options = { waitMs: 0, what: 'a test' }

test('a directory has one owner at a time', async () => {
  await using directory = await makeDirectory()
  const first = await lockDirectory(directory.path, options)
  await expect(lockDirectory(directory.path, options)).rejects.toThrow(
    new RegExp(`in use by process ${process.pid} on .* \\(a test, since .*DATA_DIR`),
  )
  first[Symbol.dispose]()
  using _second = await lockDirectory(directory.path, options)
})

test('a waiting process gets it once the owner releases it', async () => {
  await using directory = await makeDirectory()
  const first = await lockDirectory(directory.path, options)
  const second = lockDirectory(directory.path, { ...options, waitMs: 60_000 })
  first[Symbol.dispose]()
  using _lock = await second
})

test('a process that is killed leaves no lock behind', async () => {
  await using directory = await makeDirectory()
  const module = new URL('../../src/ledger/lock.ts', import.meta.url)
  const script = `
    import { lockDirectory } from ${JSON.stringify(fileURLToPath(module))}
    globalThis.lock = await lockDirectory(${JSON.stringify(directory.path)}, { waitMs: 0, what: 'another' })
    console.log('locked')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  await expect(lockDirectory(directory.path, options)).rejects.toThrow(DirectoryInUse)
  child.kill('SIGKILL')
  await once(child, 'exit')
  using _lock = await lockDirectory(directory.path, options)
})
