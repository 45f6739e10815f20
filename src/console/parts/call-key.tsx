import { useState } from 'preact/hooks'
import { Refusal } from '../app/api.ts'
import { callKey, makeCallKey } from '../app/call-key.ts'
import { mayChange, session } from '../app/session.ts'

/** Asks for a key for calls, if calls need one: a management key cannot make calls. */
export function CallKey() {
  const [said, setSaid] = useState('')
  if (session.value?.calls_need_key !== true) return null
  const make = () =>
    makeCallKey().then(
      () => setSaid('Made: it is good for an hour.'),
      (thrown: unknown) => {
        if (!(thrown instanceof Refusal)) throw thrown
        setSaid(thrown.message)
      },
    )
  return (
    <div class="call-key">
      <label>
        Key for calls
        <input
          type="password"
          autocomplete="off"
          placeholder="a management key makes no calls"
          value={callKey.value}
          onInput={({ currentTarget }) => {
            callKey.value = currentTarget.value.trim()
          }}
        />
      </label>
      {mayChange.value && (
        <button type="button" onClick={make}>
          Make one for an hour
        </button>
      )}
      <output class="muted small">{said}</output>
    </div>
  )
}
