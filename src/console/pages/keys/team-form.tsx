import { useState } from 'preact/hooks'
import { ask, Refusal } from '../../app/api.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { LimitFields, limitIn } from './limit-fields.tsx'

/** Makes a team. */
export function TeamForm({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const [refused, setRefused] = useState('')
  const make = (event: SubmitEvent) => {
    event.preventDefault()
    const given = new FormData(event.currentTarget as HTMLFormElement)
    const body = { name: String(given.get('name')), ...limitIn(given) }
    ask('/admin/api/teams', { method: 'POST', body }).then(onMade, (thrown: unknown) => {
      if (!(thrown instanceof Refusal)) throw thrown
      setRefused(thrown.message)
    })
  }
  return (
    <Dialog title="New team" onClose={onClose}>
      <form onSubmit={make} class="fields">
        <label>
          Name
          <input name="name" required maxLength={128} autocomplete="off" placeholder="research" />
        </label>
        <LimitFields />
        <p class="problem" role="alert">
          {refused}
        </p>
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="main">
            Make the team
          </button>
        </div>
      </form>
    </Dialog>
  )
}
