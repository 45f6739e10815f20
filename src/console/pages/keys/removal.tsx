import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { ask, Refusal } from '../../app/api.ts'
import { Dialog } from '../../parts/dialog.tsx'

type RemovalProps = {
  readonly title: string
  readonly path: string
  /** What ends with it. */
  readonly children: ComponentChildren
  readonly onClose: () => void
  readonly onDone: () => void
}

/** Asks before something is deleted for good. */
export function Removal({ title, path, children, onClose, onDone }: RemovalProps) {
  const [isAborting, setAborting] = useState(false)
  const [refused, setRefused] = useState('')
  const remove = () =>
    ask(`${path}?abort=${isAborting}`, { method: 'DELETE' }).then(onDone, (thrown: unknown) => {
      if (!(thrown instanceof Refusal)) throw thrown
      setRefused(thrown.message)
    })
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="fields">
        {children}
        <p>What was spent stays in the ledger. This cannot be undone.</p>
        <label class="check">
          <input
            type="checkbox"
            checked={isAborting}
            onChange={({ currentTarget }) => setAborting(currentTarget.checked)}
          />
          Also end its running calls
        </label>
        <p class="problem" role="alert">
          {refused}
        </p>
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="button" class="bad" onClick={() => void remove()}>
            Delete it
          </button>
        </div>
      </div>
    </Dialog>
  )
}
