import { useState } from 'preact/hooks'
import { useAnswer } from '../../app/answer.ts'
import { ask, query } from '../../app/router.ts'
import { mayChange } from '../../app/session.ts'
import { Head } from '../../parts/head.tsx'
import { Loaded } from '../../parts/loaded.tsx'
import { Panel } from '../../parts/panel.tsx'
import { Budgets } from './budgets.tsx'
import { KeyForm, type MadeKey } from './key-form.tsx'
import { KeyTable } from './key-table.tsx'
import { Secret } from './secret.tsx'
import { TeamForm } from './team-form.tsx'
import { TeamTable } from './team-table.tsx'
import type { BudgetView, DeclaredSettings, KeyView, Listed, TeamView } from './wire.ts'

/** Keys, teams and budgets. */
export function Keys() {
  const [isAll, setAll] = useState(false)
  const disabled = isAll ? 'true' : 'false'
  const offset = Math.max(0, Number.parseInt(query.value.get('offset') ?? '0', 10) || 0)
  const keys = useAnswer<Listed<KeyView>>(
    `/admin/api/keys?limit=${keysAtOnce}&offset=${offset}&include_disabled=${disabled}`,
    refreshMs,
  )
  const teams = useAnswer<Listed<TeamView>>('/admin/api/teams', refreshMs)
  const budgets = useAnswer<Listed<BudgetView>>('/admin/api/budgets', refreshMs)
  const settings = useAnswer<{ data: DeclaredSettings }>('/admin/api/settings')
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
        <Loaded answer={budgets}>
          {({ data }) => (
            <Budgets
              budgets={data}
              declared={settings.data?.data}
              wanted={query.value.get('budget')}
              onChange={again}
            />
          )}
        </Loaded>
      </Panel>
      <Panel title="Keys" side={<Disabled isShown={isAll} onChange={setAll} />}>
        <Loaded answer={keys}>
          {({ data }) => (
            <>
              <KeyTable keys={data} declared={settings.data?.data.declared} />
              <KeyPages offset={offset} shown={data.length} />
            </>
          )}
        </Loaded>
      </Panel>
      <Panel title="Teams">
        <Loaded answer={teams}>
          {({ data }) => <TeamTable teams={data} declared={settings.data?.data.declared} />}
        </Loaded>
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
const keysAtOnce = 100

/** Leads to older and newer keys, where there are more than are shown at once. */
function KeyPages({ offset, shown }: { offset: number; shown: number }) {
  if (offset === 0 && shown < keysAtOnce) return null
  const to = (next: number) => ask({ offset: next <= 0 ? undefined : String(next) })
  return (
    <nav class="paging" aria-label="Pages of keys">
      {offset > 0 && (
        <button type="button" onClick={() => to(offset - keysAtOnce)}>
          Newer
        </button>
      )}
      {shown === keysAtOnce && (
        <button type="button" onClick={() => to(offset + keysAtOnce)}>
          Older
        </button>
      )}
    </nav>
  )
}

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
