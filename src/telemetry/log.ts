import pino, { type DestinationStream, type Logger } from 'pino'
import type { CallRecord } from '../core/model/record/record.ts'

/** A logger of JSON lines. */
export function createLog(level: string, destination: DestinationStream): Logger {
  return pino({ level, base: null, timestamp: isoTimes() }, destination)
}

/** Where the lines of calls go: at `info`, or higher where the gateway or an upstream failed. */
export interface CallLog {
  /** Whether the line of this call is wanted. */
  isWanted(record: CallRecord): boolean
  /** Writes it; `line` is its members, as `lineOf` tells them. */
  write(record: CallRecord, line: string): void
}

/** `log` is made by `createLog`; where its level changes, this follows. */
export function createCallLog(log: Logger): CallLog {
  let line = ''
  // pino puts a line together member by member, and would read the text first to do so. What is written is the same.
  const lines = Object.assign(log.child({}), {
    [pino.symbols.asJsonSym]: (_members: object, message: string, level: number, time: string) =>
      `{"level":${level}${time},${line},"msg":"${message}"}\n`,
  })
  return {
    isWanted: (record) => lines.isLevelEnabled(levelOf(record)),
    write(record, members) {
      line = members
      lines[levelOf(record)](noMembers, 'call')
    },
  }
}

const noMembers = {}

/** The time as pino tells it. Lines come many at once: it is spelled out for the first of each millisecond. */
function isoTimes(): () => string {
  let toldMs = Number.NaN
  let told = ''
  return () => {
    const nowMs = Date.now()
    if (nowMs !== toldMs) told = `,"time":"${new Date(nowMs).toISOString()}"`
    toldMs = nowMs
    return told
  }
}

function levelOf({ status, outcome }: CallRecord): 'info' | 'warn' | 'error' {
  if (outcome === 'left' || status < 500) return 'info'
  return status === 500 ? 'error' : 'warn'
}
