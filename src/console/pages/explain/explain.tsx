import { useState } from 'preact/hooks'
import { useAnswer } from '../../app/answer.ts'
import { ask, Refusal } from '../../app/api.ts'
import { session } from '../../app/session.ts'
import { Code } from '../../parts/code.tsx'
import { adminCurl } from '../../parts/empty.tsx'
import { Head } from '../../parts/head.tsx'
import { Panel } from '../../parts/panel.tsx'
import type { KeyView, Listed } from '../keys/wire.ts'
import { Explained } from './explained.tsx'
import type { Explanation } from './wire.ts'

/** Where a request would go if it were made now, and why. */
export function Explain() {
  const keys = useAnswer<Listed<KeyView>>('/admin/api/keys?limit=500&include_disabled=false')
  const [text, setText] = useState(exampleOf)
  const [key, setKey] = useState('')
  const [told, setTold] = useState<Explanation | undefined>()
  const [refused, setRefused] = useState('')
  const callers = (keys.data?.data ?? []).filter(({ kind }) => kind === 'inference')
  const explain = (event: SubmitEvent) => {
    event.preventDefault()
    const body = bodyOf(text, key)
    if (body === undefined) {
      setRefused('This is not a JSON object.')
      return
    }
    ask<{ data: Explanation }>('/admin/api/explain', { method: 'POST', body }).then(
      ({ data }) => {
        setTold(data)
        setRefused('')
      },
      (thrown: unknown) => {
        if (!(thrown instanceof Refusal)) throw thrown
        setRefused(thrown.message)
        setTold(undefined)
      },
    )
  }
  return (
    <>
      <Head title="Route explain" />
      <Panel title="A request">
        <form onSubmit={explain} class="fields">
          <label>
            Its body, in the format of any client
            <textarea
              class="mono"
              rows={8}
              spellcheck={false}
              value={text}
              onInput={({ currentTarget }) => setText(currentTarget.value)}
            />
          </label>
          <div class="row">
            {callers.length > 0 && (
              <label class="beside">
                Made with the key
                <select value={key} onChange={({ currentTarget }) => setKey(currentTarget.value)}>
                  <option value="">none: without its limits</option>
                  {callers.map(({ hash, name, label }) => (
                    <option key={hash} value={hash}>
                      {name || label}
                    </option>
                  ))}
                </select>
              </label>
            )}
            <button type="submit" class="main">
              Explain
            </button>
            <span class="muted small">Nothing is sent upstream, and nothing is recorded.</span>
          </div>
        </form>
      </Panel>
      <div aria-live="polite">
        {refused !== '' && (
          <p class="notice bad">
            <b>It would be refused.</b> {refused}
          </p>
        )}
        {told !== undefined && <Explained of={told} />}
        {told === undefined && refused === '' && (
          <Code
            text={adminCurl('/admin/api/explain', { request: JSON.parse(exampleOf()) as object })}
            label="The same in a shell"
          />
        )}
      </div>
    </>
  )
}

function exampleOf(): string {
  const model = session.value?.example_model ?? 'MODEL'
  return JSON.stringify(
    { model, messages: [{ role: 'user', content: 'Hello!' }], max_tokens: 200 },
    undefined,
    2,
  )
}

function bodyOf(text: string, key: string): object | undefined {
  try {
    const request: unknown = JSON.parse(text)
    if (typeof request !== 'object' || request === null || Array.isArray(request)) return undefined
    return { request, ...(key === '' ? {} : { key }) }
  } catch {
    return undefined
  }
}
