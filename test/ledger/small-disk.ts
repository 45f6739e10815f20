import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Why no file system with a fixed size can be created here; undefined if it can. */
export const noSmallDisk: string | undefined = tryIt()

/** A directory on its own file system, with this many bytes. */
export function mountSmallDisk(bytes: number): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'small-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path], { stdio: 'pipe' })
  return {
    path,
    [Symbol.dispose]() {
      execFileSync('umount', [path])
      rmdirSync(path)
    },
  }
}

function tryIt(): string | undefined {
  try {
    mountSmallDisk(65_536)[Symbol.dispose]()
    return undefined
  } catch {
    return 'no file system can be mounted here'
  }
}
