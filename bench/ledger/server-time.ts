import { readFileSync } from 'node:fs'

/** The process that all processes of a Postgres server descend from; undefined if it is not on this machine. */
export function serverOf(backend: number): number | undefined {
  try {
    const { parent, name } = statOf(backend)
    return name === 'postgres' ? parent : undefined
  } catch {
    return undefined
  }
}

/** The processor time in milliseconds that a server has taken with all of its processes, as Linux has it. */
export function serverProcessorMs(server: number): number {
  const children = readFileSync(`/proc/${server}/task/${server}/children`, 'utf8').trim().split(' ')
  // Those that have ended are in the time of their parent.
  return children.reduce((sum, child) => sum + runMs(child), statOf(server).endedMs)
}

type ProcessStat = { readonly name: string; readonly parent: number; readonly endedMs: number }

/** proc(5): the name is in parentheses; from the third field on, the parent is the 2nd, `cutime` and `cstime` the 14th and 15th. */
function statOf(process: number): ProcessStat {
  const text = readFileSync(`/proc/${process}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return {
    name: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')),
    parent: Number(fields[1]),
    endedMs: (Number(fields[13]) + Number(fields[14])) * tickMs,
  }
}

const tickMs = 10

/** Nanoseconds on the processor; a process that has just ended has none. */
function runMs(process: string): number {
  try {
    const [ns] = readFileSync(`/proc/${process}/schedstat`, 'utf8').split(' ')
    return Number(ns) / 1e6
  } catch {
    return 0
  }
}
