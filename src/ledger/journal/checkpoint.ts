import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { frameOf, readFrames } from './frame.ts'
import type { Position } from './segments.ts'
import { UnreadableJournal } from './unreadable-journal.ts'

/** The state at one position of the journal: a start needs it and the lines after that position. */
export type Checkpoint = {
  readonly position: Position
  /** By projection. */
  readonly state: Readonly<Record<string, unknown>>
}

/** Undefined if there is none. Throws if it is unreadable: otherwise the state would be lost silently. */
export async function readCheckpoint(directory: string): Promise<Checkpoint | undefined> {
  const path = join(directory, fileName)
  const bytes = await readFile(path).catch((thrown: unknown) => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined
    throw thrown
  })
  if (bytes === undefined) return undefined
  const [frame] = readFrames(bytes, true).frames
  if (frame === undefined)
    throw new UnreadableJournal(
      `The checkpoint ${path} is damaged: restore the data directory from a backup.`,
    )
  return JSON.parse(frame.text) as Checkpoint
}

/** Replaces the checkpoint atomically: after a crash there is the old or the new one. */
export async function writeCheckpoint(directory: string, checkpoint: Checkpoint): Promise<void> {
  const path = join(directory, fileName)
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(frameOf(JSON.stringify(checkpoint)))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  await syncDirectory(directory)
}

const fileName = 'checkpoint'

/** A file's name is durable when its directory is synced. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
