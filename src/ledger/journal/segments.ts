import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** A position in the journal: a segment's number, and an offset in its file. */
export type Position = { readonly segment: number; readonly offset: number }

export type Segment = { readonly segment: number; readonly bytes: number }

export const journalStart: Position = { segment: 0, offset: 0 }

export function segmentPath(directory: string, segment: number): string {
  return join(directory, `${String(segment).padStart(10, '0')}.journal`)
}

/** The existing segments, in order. */
export async function listSegments(directory: string): Promise<readonly Segment[]> {
  const numbers = (await readdir(directory)).flatMap((name) => {
    const [, number] = /^(\d{10})\.journal$/.exec(name) ?? []
    return number === undefined ? [] : [Number(number)]
  })
  const segments: Segment[] = []
  for (const segment of numbers.sort((one, other) => one - other)) {
    const file = await stat(segmentPath(directory, segment)).catch(() => undefined)
    // It may have been deleted meanwhile.
    if (file !== undefined) segments.push({ segment, bytes: file.size })
  }
  return segments
}
