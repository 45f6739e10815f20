import type { Journal } from '../core/model/journal.ts'
import type { Sink } from '../core/model/ports.ts'
import { type Generations, isKept } from './generations.ts'
import { lineOf } from './line.ts'
import type { CallLog } from './log.ts'

/**
 * Writes each call as one line, for the log, for look-ups, and for the journal, if there is one. The line is built
 * once.
 */
export function createJournal(log: CallLog, generations: Generations, journal?: Journal): Sink {
  return {
    write(record) {
      const isLogged = log.isWanted(record)
      const isLookedUp = isKept(record)
      if (!isLogged && !isLookedUp && journal === undefined) return
      const line = lineOf(record)
      if (isLookedUp) generations.keep(record, line)
      if (isLogged) log.write(record, line)
      journal?.append({ type: 'call', id: record.id, at: record.startedEpochMs, line })
    },
  }
}
