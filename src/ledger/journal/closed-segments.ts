import { rm } from 'node:fs/promises'
import { type Position, type Segment, segmentPath } from './segments.ts'

/** The segments before the one that is written. Each is deleted once neither the store nor the checkpoint needs it. */
export interface ClosedSegments {
  /** Of all of them. */
  readonly bytes: number
  add(closed: Segment): void
  /** The size of those from a segment on. */
  bytesFrom(segment: number): number
  /** The store has everything before this position. */
  shipped(to: Position): void
  /** A checkpoint covers everything before this position. */
  checkpointed(to: Position): void
}

/** `failed` is called if a segment could not be deleted. */
export function createClosedSegments(
  directory: string,
  found: readonly Segment[],
  failed: (error: unknown) => void,
): ClosedSegments {
  const sizes = new Map(found.map(({ segment, bytes }) => [segment, bytes]))
  let all = found.reduce((sum, { bytes }) => sum + bytes, 0)
  let shippedTo = 0
  let checkpointedTo = 0
  const deleteOld = () => {
    const needed = Math.min(shippedTo, checkpointedTo)
    for (const [segment, bytes] of sizes) {
      if (segment >= needed) continue
      sizes.delete(segment)
      all -= bytes
      rm(segmentPath(directory, segment), { force: true }).catch(failed)
    }
  }
  return {
    get bytes() {
      return all
    },
    add({ segment, bytes }) {
      sizes.set(segment, bytes)
      all += bytes
    },
    bytesFrom(first) {
      let bytes = 0
      for (const [segment, size] of sizes) if (segment >= first) bytes += size
      return bytes
    },
    shipped({ segment }) {
      shippedTo = Math.max(shippedTo, segment)
      deleteOld()
    },
    checkpointed({ segment }) {
      checkpointedTo = segment
      deleteOld()
    },
  }
}
