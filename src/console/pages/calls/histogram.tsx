import { useMemo } from 'preact/hooks'
import { Chart } from '../../parts/chart.tsx'
import { countOf } from '../../text/amounts.ts'
import { dayOf, minuteOf, momentOf } from '../../text/times.ts'
import type { CallCounts } from './call-types.ts'

/** The number of calls over time, above the list. */
export function Histogram({ counts }: { counts: CallCounts }) {
  const { times, series } = useMemo(() => drawn(counts), [counts])
  const stepMs = counts.step_seconds * 1000
  return (
    <div class="panel">
      <Chart
        title={counts.complete ? 'Calls' : 'Calls: only the latest are counted'}
        times={times}
        series={series}
        format={countOf}
        height={84}
        timeText={stepMs >= 86_400_000 ? dayOf : stepMs >= 60_000 ? minuteOf : momentOf}
      />
    </div>
  )
}

function drawn({ data, step_seconds: stepSeconds, from, to }: CallCounts) {
  const stepMs = stepSeconds * 1000
  const known = new Map(data.map((row) => [Date.parse(row.at), row]))
  const times: number[] = []
  const first = Date.parse(from)
  for (let at = first - (first % stepMs); at < Date.parse(to); at += stepMs) times.push(at)
  return {
    times,
    series: [
      { name: 'Calls', tone: 'main', kind: 'bars', values: times.map((at) => known.get(at)?.calls ?? 0) },
      { name: 'Failed', tone: 'bad', kind: 'bars', values: times.map((at) => known.get(at)?.failed ?? 0) },
    ] as const,
  }
}
