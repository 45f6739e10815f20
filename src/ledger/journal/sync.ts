import { close, fdatasync } from 'node:fs'
import { promisify } from 'node:util'

/** Syncs a file to disk off the event loop, one round at a time. */
export interface DiskSync {
  /** Resolves when everything written before is on disk. A failure is counted, and resolves too. */
  whenSynced(): Promise<void>
  /** Switches to another file; the old one is synced once more and closed. */
  follow(descriptor: number): void
  /** Notes a write. */
  note(): void
  readonly failures: number
  /** Syncs and closes the file. */
  close(): Promise<void>
}

export function createDiskSync(): DiskSync {
  let current: number | undefined
  let finished: number[] = []
  let isDirty = false
  let failures = 0
  let running: Promise<void> | undefined
  let following: Promise<void> | undefined
  const round = async () => {
    const closing = finished
    finished = []
    isDirty = false
    for (const descriptor of [...closing, ...(current === undefined ? [] : [current])]) {
      await datasync(descriptor).catch(() => failures++)
    }
    for (const descriptor of closing) await closeFile(descriptor).catch(() => failures++)
  }
  const run = (): Promise<void> => {
    running = round().finally(() => {
      running = undefined
    })
    return running
  }
  const whenSynced = (): Promise<void> => {
    if (running === undefined) return isDirty || finished.length > 0 ? run() : Promise.resolve()
    // The round in progress may have begun before the last write.
    following ??= running.then(() => {
      following = undefined
      return run()
    })
    return following
  }
  return {
    whenSynced,
    follow(descriptor) {
      if (current !== undefined) finished.push(current)
      current = descriptor
    },
    note() {
      isDirty = true
    },
    get failures() {
      return failures
    },
    async close() {
      if (current !== undefined) finished.push(current)
      current = undefined
      await running
      await run()
    },
  }
}

const datasync = promisify(fdatasync)
const closeFile = promisify(close)
