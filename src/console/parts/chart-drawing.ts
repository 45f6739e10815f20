import uPlot from 'uplot'

export type Series = {
  readonly name: string
  readonly values: readonly (number | null)[]
  readonly tone: 'main' | 'second' | 'third' | 'bad'
  readonly kind: 'bars' | 'line'
}

type Drawing = {
  /** In epoch milliseconds, at regular intervals. */
  readonly times: readonly number[]
  readonly series: readonly Series[]
  readonly format: (value: number) => string
  readonly width: number
  readonly height: number
}

/** The options of uPlot, in the current colours of the page. */
export function drawing({ times, series, format, width, height }: Drawing): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: colourOf('muted'),
    grid: { stroke: colourOf('line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  }
  return {
    ...{ width, height },
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: {
      x: { range: () => endsOf(times) },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        grid: { show: false },
        values: (_, ticks, __, ___, step) => ticks.map((at) => tickOf(at, step)),
      },
      { ...axis, size: 56, values: (_, ticks) => ticks.map(format) },
    ],
    plugins: [pointer(series, format)],
    series: [{}, ...series.map((one) => lineOf(one, colourOf(`tone-${one.tone}`), times.length <= 72))],
  }
}

/** A canvas needs the colour itself: a custom property keeps its `light-dark()` unresolved (CSS Variables 3). */
function colourOf(name: string): string {
  const probe = document.createElement('i')
  probe.style.color = `var(--${name})`
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

/** In seconds, including the whole width of the last interval. */
function endsOf(times: readonly number[]): [number, number] {
  const [first = 0, second = first + 1000] = times
  return [first / 1000, ((times.at(-1) ?? first) + (second - first)) / 1000]
}

function lineOf({ name, kind }: Series, colour: string, hasDots: boolean): uPlot.Series {
  if (kind === 'line')
    return { label: name, stroke: colour, width: 1.5, points: { show: hasDots, size: 4 }, spanGaps: true }
  const paths = uPlot.paths.bars?.({ size: [0.8, 40], align: 1 })
  return {
    label: name,
    stroke: colour,
    fill: colour,
    width: 0,
    points: { show: false },
    ...(paths && { paths }),
  }
}

const hours = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hour12: false })
const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

function tickOf(epochSeconds: number, stepSeconds: number): string {
  const at = new Date(epochSeconds * 1000)
  const isMidnight = at.getHours() === 0 && at.getMinutes() === 0
  return stepSeconds >= 86_400 || isMidnight ? days.format(at) : hours.format(at)
}

/** Shows the values under the pointer. */
function pointer(series: readonly Series[], format: (value: number) => string): uPlot.Plugin {
  const box = document.createElement('div')
  box.className = 'pointer'
  return {
    hooks: {
      init(plot) {
        plot.over.append(box)
      },
      setCursor(plot) {
        const { idx, left = 0 } = plot.cursor
        box.hidden = idx === null || idx === undefined || left < 0
        if (box.hidden || idx === null || idx === undefined) return
        const at = (plot.data[0][idx] ?? 0) * 1000
        const values = series.map(({ name, values: all }) => `${name} ${told(all[idx], format)}`)
        box.textContent = [`${days.format(at)}, ${hours.format(at)}`, ...values].join('\n')
        const isRight = left > plot.over.clientWidth / 2
        box.style.transform = `translateX(${isRight ? left - 12 : left + 12}px) translateX(${isRight ? '-100%' : '0'})`
      },
    },
  }
}

function told(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? '–' : format(value)
}
