import { useState } from 'preact/hooks'
import { ask, Refusal } from '../../app/api.ts'
import { mayChange } from '../../app/session.ts'
import { Dialog, DialogButtons } from '../../parts/dialog.tsx'
import type { DeploymentRow } from './wire.ts'

/** Draining a deployment, putting it back in use, and waking it. */
export function DeploymentActions({ of: row, onChange }: { of: DeploymentRow; onChange: () => void }) {
  const [isAsked, setAsked] = useState(false)
  const [said, setSaid] = useState('')
  const path = `/admin/api/deployments/${encodeURIComponent(row.id)}`
  const told = (thrown: unknown) => {
    if (!(thrown instanceof Refusal)) throw thrown
    setAsked(false)
    setSaid(thrown.message)
  }
  const undrain = () => ask(`${path}/drain`, { method: 'DELETE' }).then(onChange, told)
  const wake = () =>
    ask(`${path}/wake`, { method: 'POST' }).then(() => setSaid('The start was requested.'), told)
  const drain = (reason: string) =>
    ask(`${path}/drain`, { method: 'POST', body: reason === '' ? {} : { reason } }).then(() => {
      setAsked(false)
      onChange()
    }, told)
  if (!mayChange.value) return null
  const of = <span class="hidden"> {row.id}</span>
  return (
    <span class="actions">
      {row.drained === null ? (
        <button type="button" class="plain" onClick={() => setAsked(true)}>
          Drain{of}
        </button>
      ) : (
        <button type="button" class="plain" onClick={undrain}>
          Use again{of}
        </button>
      )}
      {row.can_wake && (
        <button type="button" class="plain" onClick={wake}>
          Wake{of}
        </button>
      )}
      <output class="small">{said}</output>
      {isAsked && <Drain id={row.id} onClose={() => setAsked(false)} onDrain={drain} />}
    </span>
  )
}

type DrainProps = {
  readonly id: string
  readonly onClose: () => void
  readonly onDrain: (reason: string) => void
}

function Drain({ id, onClose, onDrain }: DrainProps) {
  const drain = (event: SubmitEvent) => {
    event.preventDefault()
    onDrain(String(new FormData(event.currentTarget as HTMLFormElement).get('reason')).trim())
  }
  return (
    <Dialog title={`Drain ${id}`} onClose={onClose}>
      <form onSubmit={drain} class="fields">
        <p>
          It gets no new calls; its running calls end as usual. Calls that could run nowhere else are refused.
          It lasts until you undo it, or the gateway restarts.
        </p>
        <label>
          Why (kept in the audit)
          <input name="reason" maxLength={200} autocomplete="off" placeholder="upgrade" />
        </label>
        <DialogButtons onCancel={onClose}>Drain it</DialogButtons>
      </form>
    </Dialog>
  )
}
