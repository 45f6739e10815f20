import type { ComponentChildren } from 'preact'
import { Badge } from '../../parts/badge.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { countOf, durationOf, usdOf } from '../../text/amounts.ts'
import { momentOf } from '../../text/times.ts'
import type { CallRow } from './call-types.ts'
import { toneOf } from './tones.ts'

type CallTableProps = {
  readonly rows: readonly CallRow[]
  readonly none: ComponentChildren
  /** Calls that arrived while the page was open. */
  readonly fresh: ReadonlySet<string>
}

export function CallTable({ rows, none, fresh }: CallTableProps) {
  return (
    <Table
      caption="Calls, the latest first"
      columns={columns}
      rows={rows}
      keyOf={({ id }) => id}
      none={none}
      classOf={({ id }) => (fresh.has(id) ? 'fresh' : undefined)}
    />
  )
}

const columns: readonly Column<CallRow>[] = [
  {
    name: 'Time',
    show: ({ id, created_at: at }) => (
      <a href={`/console/calls/${encodeURIComponent(id)}`} class="when">
        {momentOf(Date.parse(at))}
      </a>
    ),
  },
  { name: 'Status', show: (row) => <Status row={row} /> },
  { name: 'Model', show: ({ model }) => <span class="clip">{model ?? '–'}</span> },
  { name: 'Went to', isMinor: true, show: (row) => <Went row={row} /> },
  { name: 'Key', isMinor: true, show: (row) => row.key_name ?? row.key ?? <span class="muted">none</span> },
  {
    name: 'Tokens',
    isNumber: true,
    isMinor: true,
    show: ({ tokens_prompt: prompt, tokens_completion: completion }) =>
      prompt === null ? '–' : `${countOf(prompt)} → ${countOf(completion)}`,
  },
  { name: 'First token', isNumber: true, isMinor: true, show: ({ latency }) => durationOf(latency) },
  { name: 'Took', isNumber: true, show: ({ total_ms: total }) => durationOf(total) },
  { name: 'Cost', isNumber: true, show: ({ cost, cost_known: isKnown }) => (isKnown ? usdOf(cost) : '–') },
]

function Status({ row: { status, outcome, failure, cache } }: { row: CallRow }) {
  const word =
    outcome === 'left' ? 'left' : (failure?.kind.replaceAll('_', ' ') ?? (status < 400 ? 'ok' : 'failed'))
  return (
    <>
      <Badge tone={toneOf(status, outcome)}>
        {status} {word}
      </Badge>
      {cache !== null && <Badge tone="plain">{cache}</Badge>}
    </>
  )
}

function Went({ row: { deployment, attempts } }: { row: CallRow }) {
  return (
    <>
      <span class="clip">{deployment ?? '–'}</span>
      {attempts > 1 && <span class="muted"> after {attempts} attempts</span>}
    </>
  )
}
