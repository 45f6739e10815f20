import { adminCurl, Empty } from '../../parts/empty.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { countOf, usdOf } from '../../text/amounts.ts'
import { LimitCell } from './limit-cell.tsx'
import { declaredOf, Origin } from './origin.tsx'
import type { Declared, TeamView } from './wire.ts'

type TeamTableProps = {
  readonly teams: readonly TeamView[]
  readonly declared: readonly Declared[] | undefined
}

/** Teams with their limits, keys and use. */
export function TeamTable({ teams, declared }: TeamTableProps) {
  const columns: readonly Column<TeamView>[] = [
    { name: 'Team', show: ({ id }) => <a href={`/console/teams/${encodeURIComponent(id)}`}>{id}</a> },
    { name: 'Limit', show: (team) => <LimitCell of={team} /> },
    { name: 'Keys', isNumber: true, show: ({ keys }) => countOf(keys) },
    { name: 'This month', isNumber: true, show: ({ usage_monthly: usd }) => usdOf(usd) },
    {
      name: 'Declared',
      isMinor: true,
      show: ({ id, managed_by: by }) =>
        by === 'file' ? <Origin of={declaredOf(declared, 'team', id)} /> : <span class="muted">here</span>,
    },
    {
      name: 'Calls',
      isMinor: true,
      show: ({ id }) => (
        <a href={`/console/calls?team=${encodeURIComponent(id)}`}>
          Calls<span class="hidden"> of {id}</span>
        </a>
      ),
    },
  ]
  return (
    <Table
      caption="Teams"
      columns={columns}
      rows={teams}
      keyOf={({ id }) => id}
      none={
        <Empty
          command={adminCurl('/admin/api/teams', { name: 'research', limit: 100, limit_reset: 'monthly' })}
        >
          There are no teams yet. A team has budgets and limits that its keys share.
        </Empty>
      }
    />
  )
}
