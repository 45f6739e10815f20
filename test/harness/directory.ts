import { rm } from 'node:fs/promises'

/** Removes the directory and what is in it. A process that has just been stopped may write one more file meanwhile. */
export async function removeDirectory(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
}
