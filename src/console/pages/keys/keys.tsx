import { useState } from 'preact/hooks'
import { useAnswer } from '../../app/answer.ts'
import { query } from '../../app/router.ts'
import { mayChange } from '../../app/session.ts'
import { Badge } from '../../parts/badge.tsx'
import { adminCurl, Empty } from '../../parts/empty.tsx'
import { Head } from '../../parts/head.tsx'
import { Panel } from '../../parts/panel.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { Told } from '../../parts/told.tsx'
import { countOf, usdOf } from '../../text/amounts.ts'
import { agoOf } from '../../text/times.ts'
import { BudgetBar } from './budget-bar.tsx'
import { Budgets } from './budgets.tsx'
import { KeyForm, type MadeKey } from './key-form.tsx'
import { declaredOf, Origin } from './origin.tsx'
import { Secret } from './secret.tsx'
import { TeamForm } from './team-form.tsx'
import type { BudgetView, Declared, KeyView, Listed, TeamView } from './wire.ts'

/** Keys, teams and budgets. */
export function Keys() {
  const [isAll, setAll] = useState(false)
  const disabled = isAll ? 'true' : 'false'
  const keys = useAnswer<Listed<KeyView>>(`/admin/api/keys?limit=500&include_disabled=${disabled}`, refreshMs)
  const teams = useAnswer<Listed<TeamView>>('/admin/api/teams', refreshMs)
  const budgets = useAnswer<Listed<BudgetView>>('/admin/api/budgets', refreshMs)
  const settings = useAnswer<{ data: { declared: readonly Declared[] } }>('/admin/api/settings')
  const [making, setMaking] = useState<'key' | 'team' | undefined>()
  const [made, setMade] = useState<MadeKey | undefined>()
  const again = () => {
    for (const answer of [keys, teams, budgets]) answer.again()
  }
  const close = () => setMaking(undefined)
  const take = (key: MadeKey) => {
    close()
    setMade(key)
    again()
  }
  return (
    <>
      <Head title="Keys, teams, budgets">
        {mayChange.value && (
          <>
            <button type="button" onClick={() => setMaking('team')}>
              New team
            </button>
            <button type="button" class="main" onClick={() => setMaking('key')}>
              New key
            </button>
          </>
        )}
      </Head>
      <Panel title="Budgets">
        <Told answer={budgets}>
          {({ data }) => <Budgets budgets={data} wanted={query.value.get('budget')} onChange={again} />}
        </Told>
      </Panel>
      <Panel title="Keys" side={<Disabled isShown={isAll} onChange={setAll} />}>
        <Told answer={keys}>
          {({ data }) => <KeyTable keys={data} declared={settings.data?.data.declared} />}
        </Told>
      </Panel>
      <Panel title="Teams">
        <Told answer={teams}>
          {({ data }) => <Teams teams={data} declared={settings.data?.data.declared} />}
        </Told>
      </Panel>
      {making === 'key' && <KeyForm teams={teams.data?.data ?? []} onClose={close} onMade={take} />}
      {making === 'team' && (
        <TeamForm
          onClose={close}
          onMade={() => {
            close()
            again()
          }}
        />
      )}
      {made !== undefined && (
        <Secret
          name={made.data.name}
          secret={made.key}
          kind={made.data.kind}
          onClose={() => setMade(undefined)}
        />
      )}
    </>
  )
}

const refreshMs = 10_000

function Disabled({ isShown, onChange }: { isShown: boolean; onChange: (isShown: boolean) => void }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={isShown}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      With disabled ones
    </label>
  )
}

type DeclaredIn = { readonly declared: readonly Declared[] | undefined }

function KeyTable({ keys, declared }: { keys: readonly KeyView[] } & DeclaredIn) {
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
    { name: 'Team', isMinor: true, show: ({ team }) => team ?? <span class="muted">–</span> },
    { name: 'Limit', show: (key) => <Limit of={key} /> },
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
        <Empty command={adminCurl('/admin/api/keys', { name: 'web app', limit: 20, limit_reset: 'monthly' })}>
          There are no keys yet. Each caller should have one: it can have a budget, limits and models of its
          own. The secret is in the answer, and nowhere else.
        </Empty>
      }
    />
  )
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

function Limit({ of: { budgets, rpm, tpm } }: { of: Pick<KeyView, 'budgets' | 'rpm' | 'tpm'> }) {
  const [first] = budgets.toSorted((one, other) => one.remaining - other.remaining)
  const rates = [rpm !== null && `${countOf(rpm)} requests/min`, tpm !== null && `${countOf(tpm)} tokens/min`]
  const told = rates.filter((rate) => rate !== false).join(', ')
  return (
    <>
      {first !== undefined && <BudgetBar {...first} />}
      {told !== '' && <span class="muted small">{told}</span>}
      {first === undefined && told === '' && <span class="muted">none</span>}
    </>
  )
}

function Teams({ teams, declared }: { teams: readonly TeamView[] } & DeclaredIn) {
  const columns: readonly Column<TeamView>[] = [
    { name: 'Team', show: ({ id }) => id },
    { name: 'Limit', show: (team) => <Limit of={team} /> },
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
