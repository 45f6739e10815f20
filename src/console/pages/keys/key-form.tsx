import { useState } from 'preact/hooks'
import { ask, Refusal } from '../../app/api.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { LimitFields, limitIn } from './limit-fields.tsx'
import type { KeyView, TeamView } from './wire.ts'

export type MadeKey = { readonly data: KeyView; readonly key: string }

type FormProps = {
  readonly teams: readonly TeamView[]
  readonly onClose: () => void
  readonly onMade: (made: MadeKey) => void
}

/** Makes a key. */
export function KeyForm({ teams, onClose, onMade }: FormProps) {
  const [refused, setRefused] = useState('')
  const [kind, setKind] = useState('inference')
  const make = (event: SubmitEvent) => {
    event.preventDefault()
    const given = new FormData(event.currentTarget as HTMLFormElement)
    ask<MadeKey>('/admin/api/keys', { method: 'POST', body: keyIn(given) }).then(
      onMade,
      (thrown: unknown) => {
        if (!(thrown instanceof Refusal)) throw thrown
        setRefused(thrown.message)
      },
    )
  }
  return (
    <Dialog title="New key" onClose={onClose}>
      <form onSubmit={make} class="fields">
        <label>
          Name
          <input name="name" required maxLength={128} autocomplete="off" placeholder="web app" />
        </label>
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
          <label>
            Expires
            <input name="expires" type="datetime-local" />
          </label>
        </div>
        {kind === 'inference' && <CallFields teams={teams} />}
        <p class="problem" role="alert">
          {refused}
        </p>
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="main">
            Make the key
          </button>
        </div>
      </form>
    </Dialog>
  )
}

function CallFields({ teams }: { teams: readonly TeamView[] }) {
  return (
    <>
      <div class="pair">
        <label>
          Team
          <select name="team">
            <option value="">none</option>
            {teams.map(({ id }) => (
              <option key={id}>{id}</option>
            ))}
          </select>
        </label>
        <label>
          Models, with * as a wildcard
          <input name="models" placeholder="all" autocomplete="off" />
        </label>
      </div>
      <LimitFields />
      <div class="pair">
        <label>
          Requests a minute
          <input name="rpm" type="number" min="1" step="1" placeholder="no limit" />
        </label>
        <label>
          Tokens a minute
          <input name="tpm" type="number" min="1" step="1" placeholder="no limit" />
        </label>
      </div>
    </>
  )
}

/** What was filled in; what was not stays unsaid. */
function keyIn(given: FormData): object {
  const text = (name: string) => String(given.get(name) ?? '').trim()
  const number = (name: string) => (text(name) === '' ? {} : { [name]: Number(text(name)) })
  const kind = text('kind')
  const expires = text('expires') === '' ? {} : { expires_at: new Date(text('expires')).toISOString() }
  if (kind !== 'inference') return { name: text('name'), kind: 'management', role: kind, ...expires }
  const models = text('models')
    .split(',')
    .map((model) => model.trim())
    .filter((model) => model !== '')
  return {
    name: text('name'),
    ...(text('team') === '' ? {} : { team: text('team') }),
    ...(models.length === 0 ? {} : { models }),
    ...{ ...limitIn(given), ...number('rpm'), ...number('tpm'), ...expires },
  }
}
