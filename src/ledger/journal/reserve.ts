import { rmSync } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Space on the disk that is kept for the time when there is no other. */
export interface Reserve {
  /** Takes the space, unless it is taken. Rejects where there is not enough. */
  take(): Promise<void>
  /** Gives it back to the disk, at once. */
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
          // Written and not only declared, for a file system gives space to what is written.
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
