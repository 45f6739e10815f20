import { useState } from 'preact/hooks'
import { ask, Refusal } from '../../app/api.ts'
import { go } from '../../app/router.ts'
import { mayChange } from '../../app/session.ts'
import { Dialog, DialogButtons } from '../../parts/dialog.tsx'
import { KeyEdit } from './key-edit.tsx'
import type { MadeKey } from './key-form.tsx'
import { Removal } from './removal.tsx'
import { Secret } from './secret.tsx'
import type { KeyView } from './wire.ts'

/** What can be done with a key. What the file owns can be disabled alone. */
export function KeyActions({ of: key, onChange }: { of: KeyView; onChange: () => void }) {
  const [made, setMade] = useState<MadeKey | undefined>()
  const [asked, setAsked] = useState<'edit' | 'rotate' | 'delete' | undefined>()
  const [refused, setRefused] = useState('')
  const path = `/admin/api/keys/${key.hash}`
  const told = (thrown: unknown) => {
    if (!(thrown instanceof Refusal)) throw thrown
    setAsked(undefined)
    setRefused(thrown.message)
  }
  const close = () => setAsked(undefined)
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
  return (
    <>
      {key.kind === 'inference' && <a href={`/console/calls?key=${key.hash}`}>Its calls</a>}
      {mayChange.value && (
        <>
          {key.managed_by === 'api' && (
            <button type="button" class="main" onClick={() => setAsked('edit')}>
              Edit
            </button>
          )}
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
      {asked === 'edit' && <KeyEdit of={key} onClose={close} onSaved={done} />}
      {asked === 'rotate' && <Rotation onClose={close} onRotate={rotate} />}
      {asked === 'delete' && (
        <Removal
          title={`Delete ${key.name || key.label}`}
          path={path}
          onClose={close}
          onDone={() => go('/console/keys')}
        >
          <p>Its next call is refused.</p>
        </Removal>
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
          The current secret stays valid
          <select name="grace">
            <option value="0">not at all</option>
            <option value="1">for another hour</option>
            <option value="24">for another day</option>
            <option value="168">for another week</option>
          </select>
        </label>
        <DialogButtons onCancel={onClose}>Rotate</DialogButtons>
      </form>
    </Dialog>
  )
}
