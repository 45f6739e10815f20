import { rmSync } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Disk space that is reserved for a full disk. */
export interface Reserve {
  /** Takes the space, unless it has it. Rejects if there is not enough. */
  take(): Promise<void>
  /** Frees it at once. */
  release(): void
}

export function createReserve(directory: string, bytes: number): Reserve {
  const path = join(directory, 'reserve')
  return {
    async take() {
      if ((await stat(path).catch(() => undefined))?.size === bytes) return
      try {
        const file = await open(`${path}.new`, 'w', 0o600)
        try {
          // Written, not only declared: file systems allocate space when it is written.
          await file.writeFile(Buffer.alloc(bytes, 0xa5))
          await file.datasync()
        } finally {
          await file.close()
        }
        await rename(`${path}.new`, path)
      } catch (thrown) {
        await rm(`${path}.new`, { force: true })
        throw thrown
      }
    },
    release: () => rmSync(path, { force: true }),
  }
}
