import { readFile, stat } from 'node:fs/promises'

export type FileWatch = {
  readonly path: string
  readonly everyMs: number
  /** The text that is known; undefined: that there is none. */
  readonly known: () => string | undefined
  readonly changed: () => void
}

/**
 * Looks at a file again and again until it is disposed, and calls `changed` when it reads otherwise than what is
 * known, and has for two looks: a file that is being written settles first. Notifications of the system would be
 * sooner, but miss what happens behind symbolic links and on network file systems.
 */
export function watchFile({ path, everyMs, known, changed }: FileWatch): Disposable {
  let isOver = false
  /** What the last look saw, and whether that was told. */
  let seen = known()
  let told = seen
  const look = async () => {
    const text = await textOf(path, seen)
    if (isOver) return
    if (text === seen && text !== told) {
      told = text
      if (text !== known()) changed()
    }
    seen = text
    timer.refresh()
  }
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
