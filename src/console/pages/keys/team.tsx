import { useState } from 'preact/hooks'
import { useAnswer } from '../../app/answer.ts'
import { go } from '../../app/router.ts'
import { mayChange } from '../../app/session.ts'
import { Facts } from '../../parts/facts.tsx'
import { Head } from '../../parts/head.tsx'
import { Loaded } from '../../parts/loaded.tsx'
import { Panel } from '../../parts/panel.tsx'
import { usdOf } from '../../text/amounts.ts'
import { minuteOf } from '../../text/times.ts'
import type { PageProps } from '../page.ts'
import { Budgets } from './budgets.tsx'
import { KeyTable } from './key-table.tsx'
import { declaredOf, Origin } from './origin.tsx'
import { ratesOf } from './rates.ts'
import { Removal } from './removal.tsx'
import { Spending } from './spending.tsx'
import { TeamEdit } from './team-form.tsx'
import { type Declared, type KeyView, type Listed, pathOfTeam, type TeamView } from './wire.ts'

/** One team: what its keys may do together, what they spent, and which they are. */
export function TeamPage({ params }: PageProps) {
  const id = params['id'] ?? ''
  const team = useAnswer<{ data: TeamView }>(pathOfTeam(id), refreshMs)
  const keys = useAnswer<Listed<KeyView>>(
    `/admin/api/keys?limit=500&team=${encodeURIComponent(id)}`,
    refreshMs,
  )
  const settings = useAnswer<{ data: { declared: readonly Declared[] } }>('/admin/api/settings')
  const declared = settings.data?.data.declared
  const again = () => {
    team.again()
    keys.again()
  }
  return (
    <>
      <Loaded answer={team}>
        {({ data }) => (
          <>
            <Head title={data.name}>
              <Actions of={data} onChange={again} />
            </Head>
            {data.managed_by === 'file' && (
              <p class="notice">
                It is declared in <Origin of={declaredOf(declared, 'team', data.id)} />: it is changed there.
                Here it is read-only.
              </p>
            )}
            <Known of={data} />
            <Panel title="Budgets">
              <Budgets budgets={data.budgets} onChange={again} />
            </Panel>
          </>
        )}
      </Loaded>
      {team.data !== undefined && (
        <>
          <Panel title="Keys">
            <Loaded answer={keys}>
              {({ data }) => <KeyTable keys={data} declared={declared} team={id} />}
            </Loaded>
          </Panel>
          <Spending of={`team=${encodeURIComponent(id)}`} />
        </>
      )}
    </>
  )
}

const refreshMs = 10_000

function Known({ of: team }: { of: TeamView }) {
  return (
    <Panel title="What it is">
      <Facts
        of={[
          ['Models', team.models.join(', ') || 'all'],
          ['Providers', team.providers.length === 0 ? undefined : team.providers.join(', ')],
          ['Limits of all its keys together', ratesOf(team) || undefined],
          ['This month', usdOf(team.usage_monthly)],
          ['Made', team.managed_by === 'file' ? undefined : minuteOf(Date.parse(team.created_at))],
        ]}
      />
    </Panel>
  )
}

function Actions({ of: team, onChange }: { of: TeamView; onChange: () => void }) {
  const [asked, setAsked] = useState<'edit' | 'delete' | undefined>()
  const close = () => setAsked(undefined)
  return (
    <>
      <a href={`/console/calls?team=${encodeURIComponent(team.id)}`}>Its calls</a>
      {mayChange.value && team.managed_by === 'api' && (
        <>
          <button type="button" class="main" onClick={() => setAsked('edit')}>
            Edit
          </button>
          <button type="button" class="bad" onClick={() => setAsked('delete')}>
            Delete
          </button>
        </>
      )}
      {asked === 'edit' && (
        <TeamEdit
          of={team}
          onClose={close}
          onSaved={() => {
            close()
            onChange()
          }}
        />
      )}
      {asked === 'delete' && (
        <Removal
          title={`Delete ${team.name}`}
          path={pathOfTeam(team.id)}
          onClose={close}
          onDone={() => go('/console/keys')}
        >
          <p>{endingWith(team.keys)}</p>
        </Removal>
      )}
    </>
  )
}

function endingWith(keys: number): string {
  if (keys === 0) return 'No key is in this team.'
  return keys === 1
    ? 'One key ends with this team: its next call is refused.'
    : `${keys} keys end with this team: their next calls are refused.`
}
