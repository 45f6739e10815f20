import { useState } from 'preact/hooks'
import { isOffline, Refusal } from './api.ts'
import { Icon } from './icons.tsx'
import { signIn } from './session.ts'

/** Asks for a management key, then opens the requested page. */
export function SignIn() {
  const [problem, setProblem] = useState<string>()
  const [isAsking, setAsking] = useState(false)
  const send = async (event: SubmitEvent) => {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    const key = String(new FormData(form).get('key') ?? '').trim()
    setAsking(true)
    setProblem(undefined)
    try {
      await signIn(key)
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown
      setProblem(thrown.message)
      setAsking(false)
    }
  }
  return (
    <main class="sign-in">
      <h1>
        <Icon name="brand" /> Pandotate Gateway
      </h1>
      <form onSubmit={send}>
        <label for="key">Management key</label>
        <input
          id="key"
          name="key"
          type="password"
          autocomplete="current-password"
          required
          aria-describedby="where"
          aria-invalid={problem !== undefined}
          aria-errormessage="problem"
        />
        <p id="problem" class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="main" disabled={isAsking}>
          Sign in
        </button>
      </form>
      <p id="where" class="muted">
        It is in <code>ADMIN_KEY</code>, in <code>auth.adminKeys</code> of gateway.yaml, or in the file{' '}
        <code>admin-key</code> of the data directory. A key of the role read sees everything; one of the role
        admin changes things. Keys for calls do not open the console.
      </p>
      {isOffline.value && <p class="notice bad">The gateway cannot be reached.</p>}
    </main>
  )
}
