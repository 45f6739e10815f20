import type { CallLine, Generation } from '../core/model/record/call-line.ts'
import type { EncodedLine } from '../core/model/record/line-writer.ts'
import type { CallRecord } from '../core/model/record/record.ts'
import { createKeptLines, type KeptLines, type KeptLinesSettings } from './kept-lines.ts'

/** The latest calls in memory, as their log lines, in a bounded number. */
export interface Generations {
  /** Keeps a finished call; `line` is its members, as `writeLine` writes them. */
  keep(record: CallRecord, line: EncodedLine): void
  /** One of this caller's calls; undefined if it is unknown or another caller's. */
  find(id: string, tenant: string): Generation | undefined
  /** A call of any caller, for operators. */
  findAny(id: string): Generation | undefined
}

/** Calls without a key must not evict those with one. */
export function isKept({ owner }: CallRecord): boolean {
  return owner !== ''
}

export function createGenerations(settings: KeptLinesSettings = usual): Generations {
  const kept = createFairLines(settings)
  return {
    keep: (record, line) => void kept.keep(line, record.startedEpochMs, record.owner),
    findAny: (id) => look(kept, id, () => true),
    find: (id, tenant) => look(kept, id, (owner) => owner === tenant),
  }
}

/**
 * The latest lines, of which no owner can evict all of another's: a line that is dropped while its owner has less than
 * an equal share moves to a second, smaller ring, which those with more never enter.
 */
function createFairLines({ lines, bytes }: KeptLinesSettings): KeptLines {
  const counts = new Map<string, number>()
  const second = createKeptLines({ lines: Math.ceil(lines / 4), bytes: Math.ceil(bytes / 4) })
  const first = createKeptLines({ lines, bytes }, ({ owner, stamp, line }) => {
    const count = counts.get(owner) ?? 1
    if (count > 1) counts.set(owner, count - 1)
    else counts.delete(owner)
    // Counted with one more owner, so that a single owner never moves its own lines.
    if (count <= lines / (counts.size + 1)) second.keep(line, stamp, owner)
  })
  return {
    keep(line, stamp, owner = '') {
      const isKept = first.keep(line, stamp, owner)
      if (isKept) counts.set(owner, (counts.get(owner) ?? 0) + 1)
      return isKept
    },
    findLast: (beginning) => first.findLast(beginning) ?? second.findLast(beginning),
  }
}

function look(kept: KeptLines, id: string, isSeen: (owner: string) => boolean): Generation | undefined {
  const found = kept.findLast(`"requestId":${JSON.stringify(id)},`)
  if (found === undefined) return undefined
  if (!isSeen(found.owner)) return undefined
  // Written by `writeLine`, so it is valid.
  const call = JSON.parse(`{${found.line}}`) as CallLine
  return { call, startedEpochMs: found.stamp }
}

/** A typical line has 700 bytes. */
const usual: KeptLinesSettings = { lines: 10_000, bytes: 16 * 1024 * 1024 }
