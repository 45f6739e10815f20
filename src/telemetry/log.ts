import pino, { type DestinationStream, type Logger } from 'pino'
import { decodeLine, type EncodedLine } from '../core/model/record/line-writer.ts'
import type { CallRecord } from '../core/model/record/record.ts'
import type { LogOutput } from './output.ts'

/** A logger of JSON lines. */
export function createLog(level: string, destination: DestinationStream): Logger {
  return pino({ level, base: null, timestamp: isoTimes() }, destination)
}

/** Writes the lines of calls: at `info`, or higher if the gateway or an upstream failed. */
export interface CallLog {
  /** Whether the line of this call is wanted. */
  isWanted(record: CallRecord): boolean
  /** Writes it; `line` is its members, as `writeLine` writes them. */
  write(record: CallRecord, line: EncodedLine): void
}

/** Writes them by any logger. */
export function createCallLog(log: Logger): CallLog {
  return {
    isWanted: (record) => log.isLevelEnabled(levelOf(record)),
    write(record, line) {
      log[levelOf(record)](JSON.parse(`{${decodeLine(line)}}`), 'call')
    },
  }
}

/**
 * Writes them to the destination of `log`, made by `createLog`, as it would: for pino, the members would have to be
 * parsed and written once more, which takes 5 % of a call of 0.5 KB. Changes of the level of `log` apply here too.
 */
export function createDirectCallLog(log: Logger, destination: Pick<LogOutput, 'writeMembers'>): CallLog {
  const time = isoTimes()
  const heads = {
    info: `{"level":${pino.levels.values['info']}`,
    warn: `{"level":${pino.levels.values['warn']}`,
    error: `{"level":${pino.levels.values['error']}`,
  }
  return {
    isWanted: (record) => log.isLevelEnabled(levelOf(record)),
    write(record, line) {
      destination.writeMembers(`${heads[levelOf(record)]}${time()},`, line, ',"msg":"call"}\n')
    },
  }
}

/** The time in pino's format. Lines come in batches, so it is formatted once per millisecond. */
function isoTimes(): () => string {
  let formattedMs = Number.NaN
  let formatted = ''
  return () => {
    const nowMs = Date.now()
    if (nowMs !== formattedMs) formatted = `,"time":"${new Date(nowMs).toISOString()}"`
    formattedMs = nowMs
    return formatted
  }
}

function levelOf({ status, outcome }: CallRecord): 'info' | 'warn' | 'error' {
  if (outcome === 'left' || status < 500) return 'info'
  return status === 500 ? 'error' : 'warn'
}
