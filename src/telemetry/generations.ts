import type { CallLine, Generation } from '../core/model/call-line.ts'
import type { CallRecord } from '../core/model/record.ts'
import { createKeptLines, type KeptLinesSettings } from './kept-lines.ts'

/** The latest calls, in memory, as their lines tell of them: so many and no more. */
export interface Generations {
  /** Keeps a call that is over; `line` is its members, as `lineOf` tells them. */
  keep(record: CallRecord, line: string): void
  /** A call of this caller's; undefined for one that is not known, and for another's. */
  find(id: string, principal: string | undefined): Generation | undefined
}

/** Whoever has no key must not be able to push out the calls of those who have one. */
export function isKept({ failure }: CallRecord): boolean {
  return failure?.kind !== 'unauthorized'
}

export function createGenerations(settings: KeptLinesSettings = usual): Generations {
  const kept = createKeptLines(settings)
  return {
    keep: (record, line) => kept.keep(line, record.startedEpochMs),
    find(id, principal) {
      const found = kept.findLast(`"requestId":${JSON.stringify(id)},`)
      if (found === undefined) return undefined
      // The gateway's own words: `lineOf` wrote them.
      const call = JSON.parse(`{${found.line}}`) as CallLine
      return call.principal === principal ? { call, startedEpochMs: found.stamp } : undefined
    },
  }
}

/** A usual line has 700 bytes. */
const usual: KeptLinesSettings = { lines: 10_000, bytes: 16 * 1024 * 1024 }
