import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeDirectory } from '../harness/directory.ts'

/** An empty directory, removed on disposal. */
export async function makeDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'ledger-'))
  return { path, [Symbol.asyncDispose]: () => removeDirectory(path) }
}
