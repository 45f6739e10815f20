import { strict as assert } from 'node:assert'
import { usdText } from '../../../src/core/model/price.ts'
import type { FaultCase } from '../fault-case.ts'
import { diceOf, soakRoutes } from '../mixes.ts'
import { type Soaked, soak } from '../soak.ts'

/** Fault 40. */
export const soakingCases: readonly FaultCase[] = [
  {
    fault: 40,
    name: 'a twentieth of each of 33 faults among calls of every kind, a twentieth of whose callers leave',
    outcome:
      'no partial answer looks complete; nothing stays open; the bill of the upstream equals the records, attempt by attempt, and what is uncertain says so',
    routes: soakRoutes,
    settings: {},
    async play(stage) {
      const { isLong, soakMs, seed } = stage
      const until = performance.now() + soakMs
      const soaked = await soak(stage, {
        dice: diceOf(seed),
        callsPerRound: isLong ? 2000 : 600,
        goesOn: (rounds) => (isLong ? performance.now() < until || rounds < leastRounds : rounds < 1),
      })
      assert(soaked.exact > soaked.calls / 2, `${soaked.exact} of ${soaked.calls} calls are exact`)
      if (isLong) assert(growthOf(soaked) < mostGrowthBytes, `the heap grew by ${growthOf(soaked)} bytes`)
      stage.note(storyOf(soaked, seed))
    },
  },
]

/** Enough for what the gateway keeps of its last ten thousand calls to be full, and as many again to compare. */
const leastRounds = 16
const mostGrowthBytes = 4 * 1024 * 1024

/** From the middle of the run to its end, each the median of some rounds. */
function growthOf({ heapBytes }: Soaked): number {
  const quarter = Math.floor(heapBytes.length / 4)
  return medianOf(heapBytes.slice(-quarter)) - medianOf(heapBytes.slice(2 * quarter, 3 * quarter))
}

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0
}

function storyOf(soaked: Soaked, seed: number): string {
  const { calls, ends, exact, exactNanoUsd, uncertain, heapBytes } = soaked
  const { uncertainBilledNanoUsd: billed, uncertainBookedNanoUsd: booked } = soaked
  const megabytes = (bytes = 0) => (bytes / 1024 / 1024).toFixed(1)
  return [
    `${calls} calls (seed ${seed}): ${ends.answered} answered, ${ends.refused} refused with an error,`,
    `${ends.broken} ended with an error, ${ends.left} left.`,
    `${exact} attempts cost the same on both sides, ${usdText(exactNanoUsd)} USD to the nano-USD;`,
    `${uncertain} are uncertain and say so: billed ${usdText(billed)}, booked ${usdText(booked)}.`,
    `The heap had ${megabytes(heapBytes[Math.floor(heapBytes.length / 2)])} MB half way and`,
    `${megabytes(heapBytes.at(-1))} MB at the end.`,
  ].join(' ')
}
