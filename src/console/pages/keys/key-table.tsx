import { session } from '../../app/session.ts'
import { Badge } from '../../parts/badge.tsx'
import { adminCurl, Empty } from '../../parts/empty.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { usdOf } from '../../text/amounts.ts'
import { agoOf } from '../../text/times.ts'
import { LimitCell } from './limit-cell.tsx'
import { declaredOf, Origin } from './origin.tsx'
import type { Declared, KeyView } from './wire.ts'

type KeyTableProps = {
  readonly keys: readonly KeyView[]
  readonly declared: readonly Declared[] | undefined
  /** The keys are those of this team. */
  readonly team?: string
}

/** Keys with their state, limits and use. */
export function KeyTable({ keys, declared, team }: KeyTableProps) {
  const columns: readonly Column<KeyView>[] = [
    {
      name: 'Key',
      show: ({ hash, name, label }) => (
        <>
          <a href={`/console/keys/${hash}`}>{name || label}</a>
          {name !== '' && (
            <>
              <br />
              <code class="muted">{label}</code>
            </>
          )}
        </>
      ),
    },
    { name: 'State', show: (key) => <KeyState of={key} /> },
    ...(team === undefined ? [teamColumn] : []),
    { name: 'Limit', show: (key) => <LimitCell of={key} /> },
    { name: 'This month', isNumber: true, show: ({ usage_monthly: usd }) => usdOf(usd) },
    {
      name: 'Last used',
      isMinor: true,
      show: ({ last_used_at: at }) =>
        at === null ? <span class="muted">never</span> : agoOf(Date.parse(at)),
    },
    {
      name: 'Declared',
      isMinor: true,
      show: ({ hash, managed_by: by }) =>
        by === 'file' ? <Origin of={declaredOf(declared, 'key', hash)} /> : <span class="muted">here</span>,
    },
    {
      name: 'Calls',
      isMinor: true,
      show: ({ hash, kind, name, label }) =>
        kind === 'inference' && (
          <a href={`/console/calls?key=${hash}`}>
            Calls<span class="hidden"> of {name || label}</span>
          </a>
        ),
    },
  ]
  return (
    <Table
      caption="Keys"
      columns={columns}
      rows={keys}
      keyOf={({ hash }) => hash}
      none={
        <Empty
          command={adminCurl('/admin/api/keys', {
            ...{ name: 'web app', limit: 20, limit_reset: 'monthly' },
            ...(team === undefined ? {} : { team }),
          })}
        >
          {team === undefined ? 'There are no keys yet.' : 'No key is in this team yet.'} Each caller should
          have one: it can have a budget, limits and models of its own. The secret is in the answer, and
          nowhere else.{' '}
          {session.value?.open === true && (
            <>
              Once there is a key, this console asks for a management key: it is in the file{' '}
              <code>admin-key</code> of the data directory.
            </>
          )}
        </Empty>
      }
    />
  )
}

const teamColumn: Column<KeyView> = {
  name: 'Team',
  isMinor: true,
  show: ({ team }) =>
    team === null ? (
      <span class="muted">–</span>
    ) : (
      <a href={`/console/teams/${encodeURIComponent(team)}`}>{team}</a>
    ),
}

/** In a word, and the role of one that manages. */
export function KeyState({ of: { disabled, expires_at: expires, kind, role } }: { of: KeyView }) {
  const isExpired = expires !== null && Date.parse(expires) < Date.now()
  return (
    <>
      {disabled ? (
        <Badge tone="bad">disabled</Badge>
      ) : isExpired ? (
        <Badge tone="bad">expired</Badge>
      ) : (
        <Badge tone="good">active</Badge>
      )}{' '}
      {kind === 'management' && <Badge tone="plain">manages: {role}</Badge>}
    </>
  )
}
