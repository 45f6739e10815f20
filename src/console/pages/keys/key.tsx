import { useState } from 'preact/hooks'
import { useAnswer } from '../../app/answer.ts'
import { ask, Refusal } from '../../app/api.ts'
import { go } from '../../app/router.ts'
import { mayChange } from '../../app/session.ts'
import { Chart } from '../../parts/chart.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Facts } from '../../parts/facts.tsx'
import { Head } from '../../parts/head.tsx'
import { Panel } from '../../parts/panel.tsx'
import { Told } from '../../parts/told.tsx'
import { countOf, usdOf } from '../../text/amounts.ts'
import { agoOf, dayOf, minuteOf } from '../../text/times.ts'
import type { PageProps } from '../page.ts'
import { Budgets } from './budgets.tsx'
import type { MadeKey } from './key-form.tsx'
import { KeyState } from './keys.tsx'
import { declaredOf, Origin } from './origin.tsx'
import { Secret } from './secret.tsx'
import type { Declared, KeyView } from './wire.ts'

/** One key: what it may do, what it has spent, and what can be done with it. */
export function KeyPage({ params }: PageProps) {
  const hash = encodeURIComponent(params['hash'] ?? '')
  const key = useAnswer<{ data: KeyView }>(`/admin/api/keys/${hash}`, 10_000)
  return (
    <>
      <Told answer={key}>{({ data }) => <Shown of={data} onChange={key.again} />}</Told>
      <Spending hash={hash} />
    </>
  )
}

function Shown({ of: key, onChange }: { of: KeyView; onChange: () => void }) {
  const settings = useAnswer<{ data: { declared: readonly Declared[] } }>(
    key.managed_by === 'file' ? '/admin/api/settings' : undefined,
  )
  const at = (moment: string | null) => (moment === null ? undefined : minuteOf(Date.parse(moment)))
  const limits = [
    key.rpm !== null && `${countOf(key.rpm)} requests/min`,
    key.tpm !== null && `${countOf(key.tpm)} tokens/min`,
    key.concurrency !== null && `${countOf(key.concurrency)} calls at once`,
  ].filter((limit) => limit !== false)
  return (
    <>
      <Head title={key.name || key.label}>
        <Actions of={key} onChange={onChange} />
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
            ['Team', key.team ?? undefined],
            ['Owner', key.owner ?? undefined],
            ['Models', key.kind === 'management' ? undefined : key.models.join(', ') || 'all'],
            ['Providers', key.providers.length === 0 ? undefined : key.providers.join(', ')],
            ['Limits', limits.length === 0 ? undefined : limits.join(', ')],
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

function Actions({ of: key, onChange }: { of: KeyView; onChange: () => void }) {
  const [made, setMade] = useState<MadeKey | undefined>()
  const [asked, setAsked] = useState<'rotate' | 'delete' | undefined>()
  const [refused, setRefused] = useState('')
  const path = `/admin/api/keys/${key.hash}`
  const told = (thrown: unknown) => {
    if (!(thrown instanceof Refusal)) throw thrown
    setRefused(thrown.message)
  }
  const done = () => {
    setAsked(undefined)
    setRefused('')
    onChange()
  }
  const disable = () => ask(path, { method: 'PATCH', body: { disabled: !key.disabled } }).then(done, told)
  const rotate = (hours: number) => {
    const until = hours === 0 ? {} : { grace_until: new Date(Date.now() + hours * 3_600_000).toISOString() }
    ask<MadeKey>(`${path}/rotate`, { method: 'POST', body: until }).then((rotated) => {
      done()
      setMade(rotated)
    }, told)
  }
  const remove = () => ask(path, { method: 'DELETE' }).then(() => go('/console/keys'), told)
  return (
    <>
      {key.kind === 'inference' && <a href={`/console/calls?key=${key.hash}`}>Its calls</a>}
      {mayChange.value && (
        <>
          <button type="button" onClick={disable}>
            {key.disabled ? 'Enable' : 'Disable'}
          </button>
          {key.managed_by === 'api' && (
            <>
              <button type="button" onClick={() => setAsked('rotate')}>
                Rotate
              </button>
              <button type="button" class="bad" onClick={() => setAsked('delete')}>
                Delete
              </button>
            </>
          )}
        </>
      )}
      <span role="alert" class="problem">
        {refused}
      </span>
      {asked === 'rotate' && <Rotation onClose={() => setAsked(undefined)} onRotate={rotate} />}
      {asked === 'delete' && (
        <Dialog title={`Delete ${key.name || key.label}`} onClose={() => setAsked(undefined)}>
          <p>Its next call is refused. What it has spent stays in the ledger. This cannot be undone.</p>
          <div class="buttons">
            <button type="button" onClick={() => setAsked(undefined)}>
              Cancel
            </button>
            <button type="button" class="bad" onClick={remove}>
              Delete it
            </button>
          </div>
        </Dialog>
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

function Rotation({ onClose, onRotate }: { onClose: () => void; onRotate: (hours: number) => void }) {
  const rotate = (event: SubmitEvent) => {
    event.preventDefault()
    onRotate(Number(new FormData(event.currentTarget as HTMLFormElement).get('grace')))
  }
  return (
    <Dialog title="Another secret for this key" onClose={onClose}>
      <form onSubmit={rotate} class="fields">
        <label>
          The secret of now is good
          <select name="grace">
            <option value="0">no longer</option>
            <option value="1">for an hour more</option>
            <option value="24">for a day more</option>
            <option value="168">for a week more</option>
          </select>
        </label>
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="main">
            Rotate
          </button>
        </div>
      </form>
    </Dialog>
  )
}

type Day = { readonly day: string; readonly cost: number; readonly requests: number }

/** The last thirty days. */
function Spending({ hash }: { hash: string }) {
  const usage = useAnswer<{ data: readonly Day[] }>(`/admin/api/usage?by=day&from=30d&key=${hash}`)
  const { data } = usage.data ?? {}
  if (data === undefined || data.length === 0) return null
  const byDay = new Map(data.map((row) => [Date.parse(row.day), row]))
  const today = Math.floor(Date.now() / dayMs) * dayMs
  const times = Array.from({ length: 30 }, (_, at) => today - (29 - at) * dayMs)
  const values = (of: (row: Day) => number) => times.map((time) => of(byDay.get(time) ?? none))
  return (
    <Panel title="The last 30 days">
      <Chart
        title="Cost a day"
        times={times}
        timeText={dayOf}
        series={[{ name: 'Cost', tone: 'main', kind: 'bars', values: values(({ cost }) => cost) }]}
        format={usdOf}
      />
      <Chart
        title="Calls a day"
        times={times}
        timeText={dayOf}
        series={[{ name: 'Calls', tone: 'second', kind: 'bars', values: values(({ requests }) => requests) }]}
        format={countOf}
      />
    </Panel>
  )
}

const none: Day = { day: '', cost: 0, requests: 0 }
const dayMs = 86_400_000
