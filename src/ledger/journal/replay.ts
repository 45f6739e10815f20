import { open, readFile, truncate } from 'node:fs/promises'
import type { Projection, StateEntry } from '../../core/model/journal.ts'
import type { CallLine } from '../../core/model/record/call-line.ts'
import { type Checkpoint, readCheckpoint } from './checkpoint.ts'
import { readFrames } from './frame.ts'
import { callBeginning } from './frame-buffer.ts'
import { journalStart, listSegments, type Segment, segmentPath } from './segments.ts'
import { UnreadableJournal } from './unreadable-journal.ts'

export type Replayed = {
  /** There was no journal. */
  readonly isNew: boolean
  readonly segments: readonly Segment[]
  readonly lines: number
  /** The torn line at the end of the journal after a crash: it was cut off. */
  readonly tornBytes: number
  /** Unreadable bytes elsewhere. */
  readonly damagedBytes: number
}

/**
 * Rebuilds the projections from the checkpoint and the lines after it. Cuts off a torn tail. Rejects with
 * UnreadableJournal.
 */
export function replay(directory: string, projections: readonly Projection[]): Promise<Replayed> {
  return rebuild(directory, projections, cut)
}

/** The same without a change, for a journal that this process does not own. If there is none, nothing is rebuilt. */
export async function readJournal(directory: string, projections: readonly Projection[]): Promise<void> {
  try {
    await rebuild(directory, projections, async () => undefined)
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return
    if (code !== 'EACCES' && code !== 'EPERM') throw thrown
    throw new UnreadableJournal(`${directory} cannot be read, and may have keys: set DATA_DIR, or its owner.`)
  }
}

async function rebuild(
  directory: string,
  projections: readonly Projection[],
  cutTo: (path: string, bytes: number) => Promise<void>,
): Promise<Replayed> {
  const checkpoint = await readCheckpoint(directory)
  for (const projection of projections) projection.restore(checkpoint?.state[projection.name])
  const segments = await listSegments(directory)
  const { position } = checkpoint ?? { position: { ...journalStart, segment: segments[0]?.segment ?? 0 } }
  checkGaps(segments, checkpoint)
  let lines = 0
  let tornBytes = 0
  let damagedBytes = 0
  const kept: Segment[] = []
  for (const [index, { segment, bytes }] of segments.entries()) {
    const path = segmentPath(directory, segment)
    const isLast = index === segments.length - 1
    if (segment < position.segment && !isLast) {
      kept.push({ segment, bytes })
      continue
    }
    const found = readFrames(await readFile(path), true)
    const whole = found.frames.at(-1)?.end ?? 0
    const torn = isLast ? bytes - whole : 0
    if (torn > 0) await cutTo(path, whole)
    tornBytes += torn
    damagedBytes += found.damaged - torn
    kept.push({ segment, bytes: bytes - torn })
    const from = segment < position.segment ? bytes : segment === position.segment ? position.offset : 0
    for (const { text, end } of found.frames) {
      if (end <= from) continue
      lines++
      apply(text, projections)
    }
  }
  const isNew = checkpoint === undefined && kept.length === 0
  return { isNew, segments: kept, lines, tornBytes, damagedBytes }
}

/** The whole state is in the checkpoint and the segments after it: with a missing segment, money would be forgotten. */
function checkGaps(segments: readonly Segment[], checkpoint: Checkpoint | undefined): void {
  const first = checkpoint?.position.segment ?? 1
  const numbers = segments.map(({ segment }) => segment).filter((segment) => segment >= first)
  const isWhole = numbers.every((number, index) => number === first + index)
  if (isWhole && (checkpoint === undefined || numbers.length > 0)) return
  throw new UnreadableJournal(
    `Segments of the journal are missing: from ${first} on there are ${numbers.join(', ') || 'none'}. Restore the data directory from a backup.`,
  )
}

function apply(text: string, projections: readonly Projection[]): void {
  if (text.startsWith(callBeginning)) {
    applyCall(text, projections)
    return
  }
  if (projections.length === 0) return
  const entry = JSON.parse(text) as StateEntry
  for (const projection of projections) projection.apply(entry)
}

function applyCall(text: string, projections: readonly Projection[]): void {
  const concerned = projections.filter(({ applyCall }) => applyCall !== undefined)
  if (concerned.length === 0) return
  const call = JSON.parse(text) as CallLine & { readonly at: number }
  for (const projection of concerned) projection.applyCall?.(call, call.at)
}

async function cut(path: string, bytes: number): Promise<void> {
  await truncate(path, bytes)
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
