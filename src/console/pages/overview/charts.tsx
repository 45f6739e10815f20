import { useMemo } from 'preact/hooks'
import { Chart } from '../../parts/chart.tsx'
import type { Series } from '../../parts/chart-drawing.ts'
import type { Span } from '../../parts/span.ts'
import { countOf, durationOf, usdOf } from '../../text/amounts.ts'
import { dayOf, minuteOf } from '../../text/times.ts'
import { series, type UsageRow } from './usage.ts'

type ChartsProps = {
  readonly rows: readonly UsageRow[]
  readonly span: Span
  readonly step: 'hour' | 'day'
}

/** The same over time. */
export function Charts({ rows, span, step }: ChartsProps) {
  const made = useMemo(() => chartsOf(series(rows, span, step)), [rows, span, step])
  return (
    <div class="charts">
      {made.charts.map(({ title, series: drawn, format }) => (
        <div class="panel" key={title}>
          <Chart
            title={`${title} by the ${step}`}
            times={made.times}
            series={drawn}
            format={format}
            timeText={step === 'day' ? dayOf : minuteOf}
          />
        </div>
      ))}
    </div>
  )
}

type Made = {
  readonly title: string
  readonly series: readonly Series[]
  readonly format: (value: number) => string
}

function chartsOf({ times, rows }: ReturnType<typeof series>): {
  readonly times: readonly number[]
  readonly charts: readonly Made[]
} {
  const sums = (of: (row: UsageRow) => number) => rows.map((row) => (row === undefined ? 0 : of(row)))
  const durations = (of: (row: UsageRow) => number | null) =>
    rows.map((row) => (row === undefined ? null : of(row)))
  const charts: readonly Made[] = [
    {
      title: 'Spent',
      format: usdOf,
      series: [
        { name: 'Spent', values: sums(({ cost }) => cost), tone: 'main', kind: 'bars' },
        { name: 'At the baseline', values: sums(({ baseline }) => baseline), tone: 'second', kind: 'line' },
      ],
    },
    {
      title: 'Requests',
      format: countOf,
      series: [
        { name: 'Requests', values: sums(({ requests }) => requests), tone: 'main', kind: 'bars' },
        { name: 'Errors', values: sums(({ errors }) => errors), tone: 'bad', kind: 'bars' },
      ],
    },
    {
      title: 'First token',
      format: durationOf,
      series: [
        { name: 'p50', values: durations((row) => row.first_token_p50_ms), tone: 'main', kind: 'line' },
        { name: 'p95', values: durations((row) => row.first_token_p95_ms), tone: 'second', kind: 'line' },
        { name: 'p99', values: durations((row) => row.first_token_p99_ms), tone: 'third', kind: 'line' },
      ],
    },
    {
      title: 'Whole answer',
      format: durationOf,
      series: [
        { name: 'p50', values: durations((row) => row.latency_p50_ms), tone: 'main', kind: 'line' },
        { name: 'p95', values: durations((row) => row.latency_p95_ms), tone: 'second', kind: 'line' },
        { name: 'p99', values: durations((row) => row.latency_p99_ms), tone: 'third', kind: 'line' },
      ],
    },
  ]
  return { times, charts }
}
