import { useAnswer } from '../../app/answer.ts'
import { Facts } from '../../parts/facts.tsx'
import { Head } from '../../parts/head.tsx'
import { Loaded } from '../../parts/loaded.tsx'
import { Panel } from '../../parts/panel.tsx'
import { agoOf, minuteOf } from '../../text/times.ts'
import type { PageProps } from '../page.ts'
import { Budgets } from './budgets.tsx'
import { KeyActions } from './key-actions.tsx'
import { KeyState } from './key-table.tsx'
import { declaredOf, Origin } from './origin.tsx'
import { ratesOf } from './rates.ts'
import { Spending } from './spending.tsx'
import type { Declared, KeyView } from './wire.ts'

/** One key: what it may do, what it has spent, and what can be done with it. */
export function KeyPage({ params }: PageProps) {
  const hash = encodeURIComponent(params['hash'] ?? '')
  const key = useAnswer<{ data: KeyView }>(`/admin/api/keys/${hash}`, 10_000)
  return (
    <>
      <Loaded answer={key}>{({ data }) => <Shown of={data} onChange={key.again} />}</Loaded>
      <Spending of={`key=${hash}`} />
    </>
  )
}

function Shown({ of: key, onChange }: { of: KeyView; onChange: () => void }) {
  const settings = useAnswer<{ data: { declared: readonly Declared[] } }>(
    key.managed_by === 'file' ? '/admin/api/settings' : undefined,
  )
  const at = (moment: string | null) => (moment === null ? undefined : minuteOf(Date.parse(moment)))
  return (
    <>
      <Head title={key.name || key.label}>
        <KeyActions of={key} onChange={onChange} />
      </Head>
      {key.managed_by === 'file' && (
        <p class="notice">
          It is declared in <Origin of={declaredOf(settings.data?.data.declared, 'key', key.hash)} />: what it
          may do is changed there. Here it can be disabled, and enabled again.
        </p>
      )}
      <Panel title="What it is">
        <Facts
          of={[
            ['State', <KeyState key="state" of={key} />],
            ['Begins and ends with', <code key="label">{key.label}</code>],
            [
              'Team',
              key.team === null ? undefined : (
                <a key="team" href={`/console/teams/${encodeURIComponent(key.team)}`}>
                  {key.team}
                </a>
              ),
            ],
            ['Owner', key.owner ?? undefined],
            ['Models', key.kind === 'management' ? undefined : key.models.join(', ') || 'all'],
            ['Providers', key.providers.length === 0 ? undefined : key.providers.join(', ')],
            ['Limits', ratesOf(key) || undefined],
            ['Tags', key.tags.length === 0 ? undefined : key.tags.join(', ')],
            ['Strategy', key.strategy ?? undefined],
            ['Expires', at(key.expires_at)],
            ['Made', key.managed_by === 'file' ? undefined : at(key.created_at)],
            ['Last used', key.last_used_at === null ? 'never' : agoOf(Date.parse(key.last_used_at))],
          ]}
        />
      </Panel>
      {key.kind === 'inference' && (
        <Panel title="Budgets">
          <Budgets budgets={key.budgets} onChange={onChange} />
        </Panel>
      )}
    </>
  )
}
