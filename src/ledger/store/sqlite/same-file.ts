import { statSync } from 'node:fs'

/**
 * Returns a function that throws if another file, or none, is at a path now. A process that has deleted a file can
 * still write to it, and everything written would be lost.
 */
export function sameFile(path: string): () => void {
  const opened = statSync(path)
  return () => {
    const current = statSync(path, { throwIfNoEntry: false })
    if (current?.ino === opened.ino && current.dev === opened.dev) return
    throw new Error('the file was deleted or replaced')
  }
}
