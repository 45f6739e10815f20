import { useState } from 'preact/hooks'
import { session } from '../../app/session.ts'
import { Code } from '../../parts/code.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Dialog } from '../../parts/dialog.tsx'

type SecretProps = {
  readonly name: string
  readonly secret: string
  readonly kind: 'inference' | 'management'
  readonly onClose: () => void
}

/** A key's secret, this once, with what to write where. */
export function Secret({ name, secret, kind, onClose }: SecretProps) {
  const [shown, setShown] = useState<keyof typeof lines>('Python')
  return (
    <Dialog title={`The secret of ${name}`} onClose={onClose}>
      <p class="notice warn">It is shown this once: the gateway keeps a digest of it alone.</p>
      <p class="secret">
        <code>{secret}</code> <CopyButton text={secret} label="Copy the key" />
      </p>
      {kind === 'inference' ? (
        <>
          <div class="tabs" role="tablist" aria-label="Where to use it">
            {(Object.keys(lines) as (keyof typeof lines)[]).map((client) => (
              <button
                key={client}
                type="button"
                role="tab"
                id={`tab-${idOf(client)}`}
                aria-controls="client-lines"
                aria-selected={shown === client}
                tabIndex={shown === client ? 0 : -1}
                onClick={() => setShown(client)}
                onKeyDown={(event) => move(event, client, setShown)}
              >
                {client}
              </button>
            ))}
          </div>
          <div role="tabpanel" id="client-lines" aria-labelledby={`tab-${idOf(shown)}`}>
            <Code label={shown} text={lines[shown](secret)} />
          </div>
        </>
      ) : (
        <Code
          label="In a shell"
          text={`curl ${location.origin}/admin/api/keys -H "Authorization: Bearer ${secret}"`}
        />
      )}
      <div class="buttons">
        <button type="button" class="main" onClick={onClose}>
          I have it
        </button>
      </div>
    </Dialog>
  )
}

const model = () => session.value?.example_model ?? 'MODEL'

const lines = {
  Python: (key: string) => `from openai import OpenAI

client = OpenAI(base_url="${location.origin}/v1", api_key="${key}")
answer = client.chat.completions.create(
    model="${model()}", messages=[{"role": "user", "content": "Hello!"}]
)`,
  TypeScript: (key: string) => `import OpenAI from 'openai'

const client = new OpenAI({ baseURL: '${location.origin}/v1', apiKey: '${key}' })
const answer = await client.chat.completions.create({
  model: '${model()}', messages: [{ role: 'user', content: 'Hello!' }],
})`,
  'Claude Code': (key: string) => `export ANTHROPIC_BASE_URL=${location.origin}
export ANTHROPIC_AUTH_TOKEN=${key}
export ANTHROPIC_MODEL=${model()}
export ANTHROPIC_DEFAULT_HAIKU_MODEL=${model()}
export CLAUDE_CODE_MAX_OUTPUT_TOKENS=8192
claude`,
  Codex: (key: string) => `# ~/.codex/config.toml
model = "${model()}"
model_provider = "gateway"

[model_providers.gateway]
name = "Pandotate Gateway"
base_url = "${location.origin}/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"

# in a shell
export GATEWAY_KEY=${key}
codex`,
  curl: (key: string) => `curl ${location.origin}/v1/chat/completions \\
  -H "Authorization: Bearer ${key}" -H 'Content-Type: application/json' \\
  -d '{"model":"${model()}","messages":[{"role":"user","content":"Hello!"}]}'`,
} as const

function idOf(client: string): string {
  return client.toLowerCase().replace(/\W+/g, '-')
}

function move(
  event: KeyboardEvent,
  from: keyof typeof lines,
  show: (client: keyof typeof lines) => void,
): void {
  const clients = Object.keys(lines) as (keyof typeof lines)[]
  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
  const next = clients[(clients.indexOf(from) + step + clients.length) % clients.length]
  if (step === 0 || next === undefined) return
  event.preventDefault()
  show(next)
  document.querySelector<HTMLElement>(`#tab-${idOf(next)}`)?.focus()
}
