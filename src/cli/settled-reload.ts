import { statSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

export type SettledReload<Config> = {
  /** The files that are read. */
  readonly paths: () => Iterable<string>
  readonly read: () => Config
  /** Applies a configuration. `read` returns it, or throws the error of reading. */
  readonly take: (read: () => Config) => void
}

/**
 * Creates a function that reads and applies a configuration when its files have been unchanged for 0.4 s, so that a
 * file that is being written is not read. After about 10 s, files are read even if they still change.
 */
export function reloadWhenSettled<Config>({ paths, read, take }: SettledReload<Config>): () => void {
  let isWaiting = false
  const run = async () => {
    for (let look = 1; ; look++) {
      const before = statesOf(paths())
      if (look < mostLooks && before.some(isFresh)) {
        await setTimeout(quietMs / 2, undefined, { ref: false })
        continue
      }
      const outcome = attempt(read)
      // A file that changed during the reading may have been read in part.
      if (look < mostLooks && !areSame(before, statesOf(paths()))) continue
      isWaiting = false
      take(outcome)
      return
    }
  }
  return () => {
    // A pending reload reads later changes too.
    if (isWaiting) return
    isWaiting = true
    void run()
  }
}

/** The time for which a file must be unchanged. */
const quietMs = 400
/** The maximum number of checks, about 10 s. */
const mostLooks = 50

type FileState = { readonly path: string; readonly mtimeMs: number; readonly mark: string }

function statesOf(paths: Iterable<string>): readonly FileState[] {
  return Array.from(paths, (path) => {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat?.isFile() !== true) return { path, mtimeMs: 0, mark: 'none' }
    return { path, mtimeMs: stat.mtimeMs, mark: `${stat.ino} ${stat.size} ${stat.mtimeMs}` }
  })
}

/** True if the file was changed recently. A time in the future, from another machine's clock, does not count. */
function isFresh({ mtimeMs }: FileState): boolean {
  const ageMs = Date.now() - mtimeMs
  return ageMs >= 0 && ageMs < quietMs
}

function areSame(some: readonly FileState[], others: readonly FileState[]): boolean {
  // Files that only the new text names were not checked before.
  return some.every(({ path, mark }) => others.every((other) => other.path !== path || other.mark === mark))
}

function attempt<Value>(run: () => Value): () => Value {
  try {
    const value = run()
    return () => value
  } catch (thrown) {
    return () => {
      throw thrown
    }
  }
}
