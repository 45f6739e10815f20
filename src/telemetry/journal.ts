import type { Sink } from '../core/model/ports.ts'
import { type Generations, isKept } from './generations.ts'
import { lineOf } from './line.ts'
import type { CallLog } from './log.ts'

/** Tells each call in one line, for the log and for those who look the call up: it is put together once. */
export function createJournal(log: CallLog, generations: Generations): Sink {
  return {
    write(record) {
      const isLogged = log.isWanted(record)
      const isLookedUp = isKept(record)
      if (!isLogged && !isLookedUp) return
      const line = lineOf(record)
      if (isLookedUp) generations.keep(record, line)
      if (isLogged) log.write(record, line)
    },
  }
}
