import { setImmediate } from 'node:timers'

/**
 * Runs work in batches: everything that arrived in one turn of the event loop, in order, before the next turn. A step
 * that runs for many calls in a row finds its code and data in the CPU caches; interleaved with other steps it takes an
 * eighth to a third longer. It never waits for more calls. The work must not throw.
 */
export type Batch = (work: () => void) => void

export function createBatch(): Batch {
  let waiting: (() => void)[] = []
  const run = () => {
    const works = waiting
    waiting = []
    for (const work of works) work()
  }
  return (work) => {
    waiting.push(work)
    if (waiting.length === 1) setImmediate(run)
  }
}
