import { strict as assert } from 'node:assert'
import { existsSync } from 'node:fs'
import type { FaultCase } from '../fault-case.ts'

/**
 * Faults of what is not there: a case for each waits until it is, and then fails for not having been written. `room`
 * is where it will be.
 */
function absent(fault: number, name: string, awaits: string, room: string, outcome: string): FaultCase {
  return {
    ...{ fault, name, awaits, outcome },
    async play() {
      assert(existsSync(new URL(`../../../src/${room}`, import.meta.url)), `there is no ${awaits} to break`)
    },
  }
}

/** Fault 39. */
export const absentCases: readonly FaultCase[] = [
  absent(39, 'one of several', 'several workers', 'cluster', 'the others are not disturbed'),
]
