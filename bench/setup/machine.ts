import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** What the figures were measured on, and which processor each process is to have there. */
export function describeMachine(): Machine {
  const allowed = readAllowedProcessors()
  return {
    model: cpus()[0]?.model ?? 'unknown',
    processors: allowed.length,
    node: process.version,
    placement: tasksetWorks() ? place(allowed) : noPlacement,
  }
}

export type Machine = {
  readonly model: string
  /** Those this process may use. */
  readonly processors: number
  readonly node: string
  readonly placement: Placement
}

/** Processor numbers; undefined: wherever the kernel likes. One load client per entry of `load`. */
export type Placement = {
  readonly upstream: number | undefined
  readonly proxy: number | undefined
  readonly load: readonly (number | undefined)[]
}

/**
 * The proxy under test has a processor to itself as soon as there are two. The rest share what is left: the load client
 * needs two when it has them, the upstream little.
 */
export function place(allowed: readonly number[]): Placement {
  const [first, second, third, fourth] = allowed
  if (second === undefined) return noPlacement
  if (third === undefined) return { upstream: first, proxy: second, load: [first] }
  return { upstream: first, proxy: second, load: fourth === undefined ? [third] : [third, fourth] }
}

/** `0-3,8` as numbers, the way the kernel writes processor lists. */
export function readProcessorList(text: string): readonly number[] {
  return text.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, step) => from + step)
  })
}

const noPlacement: Placement = { upstream: undefined, proxy: undefined, load: [undefined] }

function readAllowedProcessors(): readonly number[] {
  const status = readFileSync('/proc/self/status', 'latin1')
  return readProcessorList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '0')
}

function tasksetWorks(): boolean {
  try {
    execFileSync('taskset', ['-cp', String(process.pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
