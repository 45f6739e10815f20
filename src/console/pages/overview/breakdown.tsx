import { useAnswer } from '../../app/answer.ts'
import { ask, query, urlOf } from '../../app/router.ts'
import { Loaded } from '../../parts/loaded.tsx'
import { Panel } from '../../parts/panel.tsx'
import type { Span } from '../../parts/span.ts'
import { type Column, Table } from '../../parts/table.tsx'
import { changeOf, countOf, durationOf, shareOf, usdOf } from '../../text/amounts.ts'
import { dimensions, type Usage, type UsageRow, usagePath } from './usage.ts'

type Of = keyof typeof dimensions

/** Totals grouped by one of a call's names. */
export function Breakdown({ span }: { span: Span }) {
  const asked = query.value.get('by') ?? 'model'
  const by: Of = asked in dimensions ? (asked as Of) : 'model'
  const answer = useAnswer<Usage>(usagePath(span, { by, percentiles: 'true', compare: 'true', limit: '50' }))
  const pick = (
    <label class="pick">
      By{' '}
      <select value={by} onChange={({ currentTarget }) => ask({ by: currentTarget.value })}>
        {Object.entries(dimensions).map(([name, label]) => (
          <option key={name} value={name}>
            {label.toLowerCase()}
          </option>
        ))}
      </select>
    </label>
  )
  return (
    <Panel title={`By ${dimensions[by].toLowerCase()}`} side={pick}>
      <Loaded answer={answer}>
        {({ data, before }) => (
          <Table
            caption={`By ${dimensions[by].toLowerCase()}`}
            columns={columnsOf(by, before?.data ?? [])}
            rows={data}
            keyOf={(row) => row[by] ?? ''}
          />
        )}
      </Loaded>
    </Panel>
  )
}

function columnsOf(by: Of, before: readonly UsageRow[]): readonly Column<UsageRow>[] {
  const earlier = new Map(before.map((row) => [row[by], row]))
  return [
    { name: dimensions[by], show: (row) => <Name by={by} name={row[by]} /> },
    { name: 'Spent', isNumber: true, show: ({ cost }) => usdOf(cost) },
    {
      name: 'Change',
      isNumber: true,
      isMinor: true,
      show: (row) => changeOf(row.cost, earlier.get(row[by])?.cost ?? 0) ?? '–',
    },
    { name: 'Saved', isNumber: true, show: ({ saved }) => usdOf(saved) },
    { name: 'Requests', isNumber: true, show: ({ requests }) => countOf(requests) },
    { name: 'Errors', isNumber: true, show: ({ errors, requests }) => shareOf(errors, requests) },
    {
      name: 'First token',
      isNumber: true,
      isMinor: true,
      show: (row) => durationOf(row.first_token_p50_ms),
    },
    { name: 'p95', isNumber: true, isMinor: true, show: (row) => durationOf(row.first_token_p95_ms) },
    { name: 'Calls', isNumber: true, show: (row) => <CallsLink by={by} name={row[by]} /> },
  ]
}

/** Filters the page by this name. */
function Name({ by, name }: { by: Of; name: string | null }) {
  if (name === null) return <span class="muted">none</span>
  return (
    <button type="button" class="plain name" onClick={() => ask({ [by]: name })}>
      {name}
    </button>
  )
}

function CallsLink({ by, name }: { by: Of; name: string | null }) {
  if (name === null) return null
  const span = Object.fromEntries(
    ['span', 'from', 'to'].flatMap((part) => {
      const value = query.value.get(part)
      return value === null ? [] : [[part, value]]
    }),
  )
  return (
    <a href={urlOf('/console/calls', { ...span, [by]: name })}>
      Calls<span class="hidden"> of {name}</span>
    </a>
  )
}
