import { readFile, stat } from 'node:fs/promises'

export type FileWatch = {
  readonly everyMs: number
  /** The files to watch. They may change between polls. */
  readonly paths: () => Iterable<string>
  /** The known text of a file; undefined: it does not exist. */
  readonly known: (path: string) => string | undefined
  readonly changed: () => void
}

/**
 * Polls files until it is disposed. Calls `changed` when a file differs from the known text and was the same in two
 * polls, so that a file that is being written is not read. System notifications would be faster, but miss changes
 * behind symbolic links and on network file systems.
 */
export function watchFiles({ everyMs, paths, known, changed }: FileWatch): Disposable {
  let isOver = false
  /** For each file, the text of the last poll, and the text for which `changed` was called. */
  const files = new Map<string, { seen: string | undefined; reported: string | undefined }>()
  const fileAt = (path: string) => {
    const text = files.has(path) ? undefined : known(path)
    const file = files.get(path) ?? { seen: text, reported: text }
    files.set(path, file)
    return file
  }
  const look = async () => {
    let isChanged = false
    for (const path of paths()) {
      const file = fileAt(path)
      const now = await textOf(path, file.seen)
      if (now === file.seen && now !== file.reported) {
        file.reported = now
        isChanged = now !== known(path) || isChanged
      }
      file.seen = now
    }
    if (isOver) return
    if (isChanged) changed()
    timer.refresh()
  }
  for (const path of paths()) fileAt(path)
  const timer = setTimeout(() => void look(), everyMs)
  timer.unref()
  return {
    [Symbol.dispose]() {
      isOver = true
      clearTimeout(timer)
    },
  }
}

/** The file's text; undefined if it cannot be read. A pipe can be read only once, so `seen` is returned for it. */
async function textOf(path: string, seen: string | undefined): Promise<string | undefined> {
  try {
    return (await stat(path)).isFile() ? await readFile(path, 'utf8') : seen
  } catch {
    return undefined
  }
}
