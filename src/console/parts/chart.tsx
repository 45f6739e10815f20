import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { paint } from '../app/theme.ts'
import { minuteOf } from '../text/times.ts'
import { drawing, type Series } from './chart-drawing.ts'
import { Table } from './table.tsx'

type ChartProps = {
  readonly title: string
  /** In epoch milliseconds, each at the start of its interval. */
  readonly times: readonly number[]
  readonly series: readonly Series[]
  readonly format: (value: number) => string
  /** How times are written in the table. */
  readonly timeText?: (epochMs: number) => string
  readonly height?: number
}

/** A chart of values over time; and the same as a table, for readers who cannot see a chart or need the numbers. */
export function Chart({ title, times, series, format, timeText = minuteOf, height = 150 }: ChartProps) {
  const [isTable, setTable] = useState(false)
  const rows = times.map((at, index) => ({ at, index }))
  const columns = [
    { name: 'Time', show: ({ at }: { at: number }) => timeText(at) },
    ...series.map(({ name, values }) => ({
      name,
      isNumber: true,
      show: ({ index }: { index: number }) => shown(values[index], format),
    })),
  ]
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <span class="legend">
          {series.length > 1 &&
            series.map(({ name, tone }) => (
              <span key={name} class={`tone-${tone}`}>
                {name}
              </span>
            ))}
        </span>
        <button type="button" class="plain" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table<span class="hidden"> of {title}</span>
        </button>
      </figcaption>
      {isTable ? (
        <Table caption={title} columns={columns} rows={rows.toReversed()} keyOf={({ at }) => String(at)} />
      ) : (
        <Drawn title={title} times={times} series={series} format={format} height={height} />
      )}
    </figure>
  )
}

function shown(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? '–' : format(value)
}

type DrawnProps = Required<Pick<ChartProps, 'title' | 'times' | 'series' | 'format' | 'height'>>

function Drawn({ title, times, series, format, height }: DrawnProps) {
  const place = useRef<HTMLDivElement>(null)
  const colours = paint.value
  useEffect(() => {
    const { current } = place
    if (current === null) return undefined
    const plot = new uPlot(
      drawing({ times, series, format, height, width: current.clientWidth }),
      [times.map((at) => at / 1000), ...series.map(({ values }) => [...values])],
      current,
    )
    const watch = new ResizeObserver(() => plot.setSize({ width: current.clientWidth, height }))
    watch.observe(current)
    return () => {
      watch.disconnect()
      plot.destroy()
    }
  }, [times, series, format, height, colours])
  return (
    <div
      ref={place}
      class={`drawn h${height}`}
      role="img"
      aria-label={`${title}: ${summaryOf(series, format)}`}
    />
  )
}

function summaryOf(series: readonly Series[], format: (value: number) => string): string {
  return series
    .map(({ name, values }) => {
      const known = values.filter((value) => value !== null)
      return known.length === 0 ? `${name}: no data` : `${name}: at most ${format(Math.max(...known))}`
    })
    .join('; ')
}
