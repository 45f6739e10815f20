import { statSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

export type SettledReload<Config> = {
  /** The files that are read. */
  readonly paths: () => Iterable<string>
  readonly read: () => Config
  /** Called with what was read, or throws what reading threw. */
  readonly take: (read: () => Config) => void
}

/**
 * Makes a function that reads and applies a configuration once its files have been unchanged for a moment: a file that
 * is being written is not judged half-way. A file that never settles is read in the end.
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
      // A file that changed meanwhile may have been read in part.
      if (look < mostLooks && !areSame(before, statesOf(paths()))) continue
      isWaiting = false
      take(outcome)
      return
    }
  }
  return () => {
    // A pending reload reads all changes until then.
    if (isWaiting) return
    isWaiting = true
    void run()
  }
}

/** How long a file must be unchanged. */
const quietMs = 400
/** About ten seconds. */
const mostLooks = 50

type FileState = { readonly path: string; readonly mtimeMs: number; readonly mark: string }

function statesOf(paths: Iterable<string>): readonly FileState[] {
  return Array.from(paths, (path) => {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat?.isFile() !== true) return { path, mtimeMs: 0, mark: 'none' }
    return { path, mtimeMs: stat.mtimeMs, mark: `${stat.ino} ${stat.size} ${stat.mtimeMs}` }
  })
}

/** By the clock of the machine that wrote it: a clock that is ahead is no reason to wait. */
function isFresh({ mtimeMs }: FileState): boolean {
  const ageMs = Date.now() - mtimeMs
  return ageMs >= 0 && ageMs < quietMs
}

function areSame(some: readonly FileState[], others: readonly FileState[]): boolean {
  // A file that is named in the text just read was not checked before.
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
