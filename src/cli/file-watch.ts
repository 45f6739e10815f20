import { readFile, stat } from 'node:fs/promises'

export type FileWatch = {
  readonly everyMs: number
  /** The files, which may be others at each look. */
  readonly paths: () => Iterable<string>
  /** The text that is known of a file; undefined: that there is none. */
  readonly known: (path: string) => string | undefined
  readonly changed: () => void
}

/**
 * Looks at files again and again until it is disposed, and calls `changed` when one reads otherwise than what is
 * known, and has for two looks: a file that is being written settles first. Notifications of the system would be
 * sooner, but miss what happens behind symbolic links and on network file systems.
 */
export function watchFiles({ everyMs, paths, known, changed }: FileWatch): Disposable {
  let isOver = false
  /** Of each file, what the last look saw, and what `changed` was called for. */
  const files = new Map<string, { seen: string | undefined; told: string | undefined }>()
  const fileAt = (path: string) => {
    const text = files.has(path) ? undefined : known(path)
    const file = files.get(path) ?? { seen: text, told: text }
    files.set(path, file)
    return file
  }
  const look = async () => {
    let isChanged = false
    for (const path of paths()) {
      const file = fileAt(path)
      const now = await textOf(path, file.seen)
      if (now === file.seen && now !== file.told) {
        file.told = now
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

/** Undefined where there is none that can be read. A pipe gives its text once: of that, what is `seen` stays. */
async function textOf(path: string, seen: string | undefined): Promise<string | undefined> {
  try {
    return (await stat(path)).isFile() ? await readFile(path, 'utf8') : seen
  } catch {
    return undefined
  }
}
