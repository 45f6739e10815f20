import { batchOf } from '../../src/ledger/store/batch.ts'
import type { Store } from '../../src/ledger/store/store.ts'
import { median } from '../figures/statistics.ts'
import { lineOf, randomFrom } from './made-call.ts'

/**
 * How long the shipper takes for a call, in microseconds: medians over batches of its usual size, as if appended to
 * ten million calls of 90 days. Includes reading their lines.
 */
export async function shipTimes(
  store: Store,
): Promise<{ readonly us: number; readonly processorUs: number }> {
  const random = randomFrom(2)
  const [us, processorUs]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const lines = Array.from({ length: batchCalls }, (_, at) =>
      lineOf(callsBefore + round * batchCalls + at, callsBefore, random),
    )
    const before = process.cpuUsage()
    const began = performance.now()
    await store.write('bench', batchOf(lines, { segment: 2, offset: round }))
    us.push(((performance.now() - began) * 1000) / batchCalls)
    const { user, system } = process.cpuUsage(before)
    processorUs.push((user + system) / batchCalls)
  }
  return { us: median(us), processorUs: median(processorUs) }
}

const callsBefore = 10_000_000

const rounds = 101

/** About a megabyte of the journal. */
const batchCalls = 800
