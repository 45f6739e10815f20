import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { frameOf, readFrames } from './frame.ts'
import type { Position } from './segments.ts'

/** The state at one place in the journal: a start needs it, and the lines behind that place. */
export type Checkpoint = {
  readonly position: Position
  /** By projection. */
  readonly state: Readonly<Record<string, unknown>>
}

/** Undefined where there is none. Throws where there is one that cannot be read: the state would be lost unseen. */
export async function readCheckpoint(directory: string): Promise<Checkpoint | undefined> {
  const path = join(directory, fileName)
  const bytes = await readFile(path).catch((thrown: unknown) => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined
    throw thrown
  })
  if (bytes === undefined) return undefined
  const [frame] = readFrames(bytes, true).frames
  if (frame === undefined)
    throw new Error(`The checkpoint ${path} is damaged: restore the data directory from a backup.`)
  return JSON.parse(frame.text) as Checkpoint
}

/** Replaces the checkpoint; after a crash there is the one or the other. */
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

/** A name is as durable as its directory. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
