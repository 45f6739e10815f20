import { type MetricValues, sumCounts, sumMetrics } from '../../telemetry/sum.ts'

/** Counters of all processes, including ended ones, so that a sum never goes down. */
export interface Counts {
  /** The exposition of all processes. Series of `own` come first. */
  sum(own: MetricValues, ofWorkers: readonly OwnedValues[]): Promise<string>
  /** This process has ended; its last values stay counted. */
  keep(owner: string): void
}

export type OwnedValues = { readonly owner: string; readonly values: MetricValues }

export function createCounts(): Counts {
  const last = new Map<string, MetricValues>()
  let gone: MetricValues = []
  let keeping = Promise.resolve()
  return {
    keep(owner) {
      const values = last.get(owner)
      if (values === undefined) return
      last.delete(owner)
      keeping = keeping.then(async () => {
        gone = await sumCounts([gone, values])
      })
    },
    async sum(own, ofWorkers) {
      await keeping
      for (const { owner, values } of ofWorkers) last.set(owner, values)
      return await sumMetrics([own, ...ofWorkers.map(({ values }) => values), gone])
    },
  }
}
