import type { ComponentChildren } from 'preact'
import { session } from '../app/session.ts'
import { Code } from './code.tsx'

/** What a page shows without rows: how to get the first one. */
export function Empty({ children, command }: { children: ComponentChildren; command?: string }) {
  return (
    <div class="empty">
      <p>{children}</p>
      {command !== undefined && <Code text={command} label="In a shell" />}
    </div>
  )
}

/** The variables of `callCurl`, and where to get their values. */
export function CallNeeds() {
  const { calls_need_key: needsKey, example_model: model } = session.value ?? {}
  return (
    <>
      {needsKey === true && (
        <>
          A call needs a key of this gateway, here in <code>GATEWAY_KEY</code>:{' '}
          <a href="/console/keys">Keys & budgets</a> makes one.{' '}
        </>
      )}
      {model === null && (
        <>
          No model is known by name: write one that your upstream serves for <code>MODEL</code>.{' '}
        </>
      )}
    </>
  )
}

/** A command for the admin API. `$ADMIN_KEY` stands for a management key. */
export function adminCurl(path: string, body?: object): string {
  const { open } = session.value ?? {}
  return [
    `curl ${location.origin}${path}`,
    ...(open === true ? [] : ['  -H "Authorization: Bearer $ADMIN_KEY"']),
    ...(body === undefined ? [] : ["  -H 'Content-Type: application/json'", `  -d '${quoted(body)}'`]),
  ].join(' \\\n')
}

/** A command that makes a call. `$GATEWAY_KEY` stands for a key for calls. */
export function callCurl(model = session.value?.example_model ?? 'MODEL', text = 'Hello!'): string {
  const body = { model, messages: [{ role: 'user', content: text }] }
  return [
    `curl ${location.origin}/v1/chat/completions -H 'Content-Type: application/json'`,
    ...(session.value?.calls_need_key === true ? ['  -H "Authorization: Bearer $GATEWAY_KEY"'] : []),
    `  -d '${quoted(body)}'`,
  ].join(' \\\n')
}

function quoted(body: object): string {
  return JSON.stringify(body).replaceAll("'", String.raw`'\''`)
}
