import type { Journal } from '../core/model/journal.ts'
import type { Sink } from '../core/model/ports.ts'
import { LineWriter } from '../core/model/record/line-writer.ts'
import { type Generations, isKept } from './generations.ts'
import { writeLine } from './line.ts'
import type { CallLog } from './log.ts'

/**
 * Writes each call as one line, for the log, for look-ups, and for the journal, if there is one. The line is encoded
 * once, and each of them copies its bytes.
 */
export function createJournal(log: CallLog, generations: Generations, journal?: Journal): Sink {
  const line = new LineWriter()
  return {
    write(record) {
      const isLogged = log.isWanted(record)
      const isLookedUp = isKept(record)
      if (!isLogged && !isLookedUp && journal === undefined) return
      line.clear()
      writeLine(record, line)
      if (isLookedUp) generations.keep(record, line)
      if (isLogged) log.write(record, line)
      journal?.append({ type: 'call', id: record.id, at: record.startedEpochMs, line })
    },
  }
}
