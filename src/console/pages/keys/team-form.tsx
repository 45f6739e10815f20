import { useState } from 'preact/hooks'
import { ask, Refusal } from '../../app/api.ts'
import { Dialog } from '../../parts/dialog.tsx'

/** Makes a team. */
export function TeamForm({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const [refused, setRefused] = useState('')
  const make = (event: SubmitEvent) => {
    event.preventDefault()
    const given = new FormData(event.currentTarget as HTMLFormElement)
    const limit = String(given.get('limit'))
    const reset = String(given.get('reset')) || null
    const body = {
      name: String(given.get('name')),
      ...(limit === '' ? {} : { limit: Number(limit), limit_reset: reset }),
    }
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
        <div class="pair">
          <label>
            Limit in USD
            <input name="limit" type="number" min="0" step="any" placeholder="none" />
          </label>
          <label>
            Which is
            <select name="reset">
              <option value="monthly">for each month</option>
              <option value="weekly">for each week</option>
              <option value="daily">for each day</option>
              <option value="">in all</option>
            </select>
          </label>
        </div>
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
