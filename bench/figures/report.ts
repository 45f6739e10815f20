import type { Machine } from '../setup/machine.ts'
import type { JsonFigures } from './json-figures.ts'
import type { Reading } from './memory-figures.ts'
import type { Spread } from './statistics.ts'
import type { StreamFigures } from './stream-figures.ts'

/** All figures of one run; what was not asked for is empty. */
export type Report = {
  readonly date: string
  readonly machine: Machine
  readonly quick: boolean
  /** Processors that others kept busy, on average over the run. */
  readonly foreignProcessors: number
  readonly control: boolean
  readonly json: readonly JsonFigures[]
  readonly streams: readonly StreamFigures[]
  /** Bytes. */
  readonly openStream: { readonly passThrough: Spread; readonly gateway: Spread } | undefined
  readonly resident:
    | { readonly passThrough: readonly Reading[]; readonly gateway: readonly Reading[] }
    | undefined
}

/** The report as a page of Markdown, made to be read in a terminal as well. */
export function renderReport(report: Report): string {
  const gateway = report.control ? 'control' : 'gateway'
  const sections = [
    [`# Benchmark, ${report.date}${report.quick ? ' (quick)' : ''}`, describe(report)],
    report.json.length === 0 ? [] : [...throughput(report.json, gateway), ...latency(report.json, gateway)],
    report.streams.length === 0 ? [] : streams(report.streams, gateway),
    report.openStream === undefined ? [] : openStream(report.openStream, gateway),
    report.resident === undefined ? [] : resident(report.resident, gateway),
  ]
  return `${sections.flat().join('\n\n')}\n`
}

function describe({ machine, control, foreignProcessors }: Report): string {
  const { upstream, proxy, load } = machine.placement
  const placed =
    proxy === undefined
      ? 'processes not pinned (no taskset, or one processor)'
      : `pinned: upstream to ${upstream}, proxy under test to ${proxy}, load to ${[...new Set(load)].join(' and ')}`
  const lines = [`${machine.processors} × ${machine.model}, Node ${machine.node}; ${placed}.`]
  if (foreignProcessors > quietBelow) {
    lines.push(
      `Not a quiet machine: other work kept ${foreignProcessors.toFixed(1)} processors busy during the run; trust no latency of it.`,
    )
  }
  if (control) {
    lines.push('Control run: the "control" is a second pass-through, so every ratio should be 1.00.')
  }
  return lines.join('\n')
}

/** Processors: what a resting system needs for itself. */
const quietBelow = 0.15

function throughput(json: readonly JsonFigures[], gateway: string): readonly string[] {
  const rows = json.map((one) => [
    one.title,
    count(one.perCpuSecond.direct),
    count(one.perCpuSecond['pass-through']),
    count(one.perCpuSecond.gateway),
    ratio(one.ratio),
    count(one.perSecond['pass-through']),
    count(one.perSecond.gateway),
    `${count(one.busyShare['pass-through'] * 100)} / ${count(one.busyShare.gateway * 100)} %`,
  ])
  return [
    '## JSON: requests per processor second (per core), and as the clock saw them',
    table(
      [
        '',
        'direct',
        'pass-through',
        gateway,
        'ratio [quartiles]',
        'clock: pass-through',
        `clock: ${gateway}`,
        'core busy',
      ],
      rows,
    ),
  ]
}

function latency(json: readonly JsonFigures[], gateway: string): readonly string[] {
  const rows = json.map((one) => [
    `${one.title}, ${one.ratePerSecond}/s`,
    `${count(one.p50Us.direct)} / ${count(one.p99Us.direct)}`,
    added(one.p50Us, one.p99Us, 'pass-through'),
    added(one.p50Us, one.p99Us, 'gateway'),
  ])
  return [
    '## JSON: latency at a fixed rate, microseconds, p50 / p99',
    table(['', 'direct', 'pass-through adds', `${gateway} adds`], rows),
  ]
}

function streams(figures: readonly StreamFigures[], gateway: string): readonly string[] {
  const costs = figures.map((one) => [
    one.title,
    one.chunkCpuUs['pass-through'].toFixed(1),
    one.chunkCpuUs.gateway.toFixed(1),
    ratio(one.ratio),
    count(one.chunksPerSecond['pass-through']),
    count(one.chunksPerSecond.gateway),
  ])
  const firsts = figures
    .filter((one) => one.paced)
    .map((one) => [
      one.title,
      `${count(one.firstByteP50Us.direct)} / ${count(one.firstByteP99Us.direct)}`,
      added(one.firstByteP50Us, one.firstByteP99Us, 'pass-through'),
      added(one.firstByteP50Us, one.firstByteP99Us, 'gateway'),
    ])
  return [
    '## Streams: processor microseconds per chunk',
    table(
      ['', 'pass-through', gateway, 'ratio [quartiles]', 'chunks/s: pass-through', `chunks/s: ${gateway}`],
      costs,
    ),
    '## Streams: time to first byte, microseconds, p50 / p99',
    table(['', 'direct', 'pass-through adds', `${gateway} adds`], firsts),
  ]
}

function openStream(spreads: NonNullable<Report['openStream']>, gateway: string): readonly string[] {
  const row = ({ median, lowerQuartile, upperQuartile }: Spread) =>
    [median, lowerQuartile, upperQuartile].map((bytes) => count(bytes / 1024))
  return [
    '## Streams: resident memory per open stream, KB',
    table(
      ['', 'median', 'lower quartile', 'upper quartile'],
      [
        ['pass-through', ...row(spreads.passThrough)],
        [gateway, ...row(spreads.gateway)],
      ],
    ),
  ]
}

function resident(readings: NonNullable<Report['resident']>, gateway: string): readonly string[] {
  const row = (series: readonly Reading[]) => series.map(({ bytes }) => count(bytes / 1024 / 1024))
  return [
    '## Resident memory, MB, after so many requests',
    table(
      ['', ...readings.gateway.map(({ requests }) => (requests === 0 ? 'at rest' : count(requests)))],
      [
        ['pass-through', ...row(readings.passThrough)],
        [gateway, ...row(readings.gateway)],
      ],
    ),
  ]
}

type PerTarget = JsonFigures['p50Us']

/** Differences of percentiles, which is not quite the percentile of differences. */
function added(p50Us: PerTarget, p99Us: PerTarget, name: 'pass-through' | 'gateway'): string {
  if (Number.isNaN(p50Us[name])) return 'past its limit'
  return `${count(p50Us[name] - p50Us.direct)} / ${count(p99Us[name] - p99Us.direct)}`
}

function ratio({ median, lowerQuartile, upperQuartile }: Spread): string {
  return `${median.toFixed(2)} [${lowerQuartile.toFixed(2)}-${upperQuartile.toFixed(2)}]`
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}
