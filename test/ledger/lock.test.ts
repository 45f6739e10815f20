import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { DirectoryInUse, lockDirectory } from '../../src/ledger/lock.ts'
import { makeDirectory } from './directory.ts'
import { mountSmallDisk, noSmallDisk } from './small-disk.ts'

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

test.skipIf(noSmallDisk)(
  'a read-only directory is refused and released, a full one has an owner',
  async () => {
    using disk = mountSmallDisk(65_536)
    ;(await lockDirectory(disk.path, options))[Symbol.dispose]()
    const filler = join(disk.path, 'filler')
    const fill = () => {
      for (;;) appendFileSync(filler, Buffer.alloc(4096))
    }
    expect(fill).toThrow('ENOSPC')
    ;(await lockDirectory(disk.path, options))[Symbol.dispose]()
    execFileSync('mount', ['-o', 'remount,ro', disk.path])
    await expect(lockDirectory(disk.path, options)).rejects.toThrow('EROFS')
  },
)

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
