import { statSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

export type SettledReload<Config> = {
  /** The files that are read. */
  readonly paths: () => Iterable<string>
  readonly read: () => Config
  /** Is given what was read, or throws what reading threw. */
  readonly take: (read: () => Config) => void
}

/**
 * Makes a function that reads and takes a configuration once its files have been left alone for a moment: one that is
 * being written is not judged by what stands in it so far. One that is never left alone is taken as it stands in the
 * end.
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
      // What changed meanwhile may have been read in part.
      if (look < mostLooks && !areSame(before, statesOf(paths()))) continue
      isWaiting = false
      take(outcome)
      return
    }
  }
  return () => {
    // One that waits reads all that has changed until then.
    if (isWaiting) return
    isWaiting = true
    void run()
  }
}

/** How long a file must have been as it is. */
const quietMs = 400
/** Ten seconds, about. */
const mostLooks = 50

type FileState = { readonly path: string; readonly mtimeMs: number; readonly mark: string }

function statesOf(paths: Iterable<string>): readonly FileState[] {
  return Array.from(paths, (path) => {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat?.isFile() !== true) return { path, mtimeMs: 0, mark: 'none' }
    return { path, mtimeMs: stat.mtimeMs, mark: `${stat.ino} ${stat.size} ${stat.mtimeMs}` }
  })
}

/** By the clock of the machine that wrote it: one that is ahead of ours is no reason to wait. */
function isFresh({ mtimeMs }: FileState): boolean {
  const ageMs = Date.now() - mtimeMs
  return ageMs >= 0 && ageMs < quietMs
}

function areSame(some: readonly FileState[], others: readonly FileState[]): boolean {
  // A file that is named in what was just read was not looked at before.
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
