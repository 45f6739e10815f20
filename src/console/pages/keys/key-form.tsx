import { useState } from 'preact/hooks'
import { ask } from '../../app/api.ts'
import { type Filled, MakeForm } from './edit/form.tsx'
import { ExpiryField, NameField, OwnerFields, StrategyField } from './edit/key-fields.tsx'
import { MoneyFields } from './edit/money-fields.tsx'
import { changesOf, noValues, type Values } from './edit/values.ts'
import type { KeyView, TeamView } from './wire.ts'

export type MadeKey = { readonly data: KeyView; readonly key: string }

type FormProps = {
  readonly teams: readonly TeamView[]
  readonly onClose: () => void
  readonly onMade: (made: MadeKey) => void
}

/** Makes a key. */
export function KeyForm({ teams, onClose, onMade }: FormProps) {
  const [kind, setKind] = useState('inference')
  const make = async (values: Values) => {
    const role = kind === 'inference' ? {} : { kind: 'management', role: kind }
    const body = { ...changesOf(noValues, values), ...role }
    onMade(await ask<MadeKey>('/admin/api/keys', { method: 'POST', body }))
  }
  return (
    <MakeForm title="New key" submit="Make the key" onClose={onClose} make={make}>
      {(filled) => (
        <>
          <NameField filled={filled} placeholder="web app" />
          <div class="pair">
            <label>
              For
              <select name="kind" value={kind} onChange={({ currentTarget }) => setKind(currentTarget.value)}>
                <option value="inference">calls</option>
                <option value="read">managing: looking</option>
                <option value="admin">managing: changing</option>
                <option value="metrics">metrics alone</option>
              </select>
            </label>
            <ExpiryField filled={filled} />
          </div>
          {kind === 'inference' && <CallFields filled={filled} teams={teams} />}
        </>
      )}
    </MakeForm>
  )
}

/** What a key for calls has, and one that manages has not. */
export function CallFields({ filled, teams }: { filled: Filled; teams: readonly TeamView[] }) {
  return (
    <>
      <OwnerFields filled={filled} teams={teams} />
      <MoneyFields filled={filled} />
      <StrategyField filled={filled} />
    </>
  )
}
