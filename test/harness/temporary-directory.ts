import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { removeDirectory } from './directory.ts'

/** An empty directory, removed at the end of the test. */
export async function temporaryDirectory(prefix: string): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), prefix))
  onTestFinished(() => removeDirectory(path))
  return path
}
