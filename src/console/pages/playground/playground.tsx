import { useRef, useState } from 'preact/hooks'
import { useAnswer } from '../../app/answer.ts'
import { ask as askInUrl, query } from '../../app/router.ts'
import { session } from '../../app/session.ts'
import { CallKey } from '../../parts/call-key.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Head } from '../../parts/head.tsx'
import { Panel } from '../../parts/panel.tsx'
import { Parameters, type Settings, settingsAtFirst } from './parameters.tsx'
import { bodyOf, type Outcome, run, type Turn } from './run.ts'
import { Side } from './side.tsx'

/** One model's side of the conversation: its messages, and the answer on its way. */
type Talk = { readonly turns: readonly Turn[]; readonly outcome: Outcome | undefined }

const silent: Talk = { turns: [], outcome: undefined }

/** Tries models: one, or two side by side. */
export function Playground() {
  const routes = useAnswer<{ models: readonly string[] }>('/admin/api/routes')
  const [talks, setTalks] = useState<readonly [Talk, Talk]>([silent, silent])
  const [settings, setSettings] = useState<Settings>(settingsAtFirst)
  const [words, setWords] = useState('')
  const running = useRef<AbortController>(undefined)
  const names = namesIn(query.value, session.value?.example_model ?? routes.data?.models[0] ?? '')
  const isRunning = talks.some(({ outcome }) => outcome?.state === 'running')
  const noteTalk = (at: number, change: (talk: Talk) => Talk) =>
    setTalks(([one, other]) => (at === 0 ? [change(one), other] : [one, change(other)]))
  const askedOf = (at: number, next: string) => ({
    ...{ kind: settings.kind, model: names[at] ?? '', system: settings.system, isStream: settings.isStream },
    parameters: settings.parameters,
    turns: [
      ...(settings.kind === 'chat' ? spokenIn(talks[at] ?? silent) : []),
      { role: 'user', text: next },
    ] as const,
  })
  const send = (event: SubmitEvent) => {
    event.preventDefault()
    if (isRunning || words.trim() === '') return
    running.current = new AbortController()
    for (const at of names.keys()) {
      const asked = askedOf(at, words)
      noteTalk(at, () => ({ turns: asked.turns, outcome: undefined }))
      void run(asked, running.current.signal, (outcome) => noteTalk(at, (talk) => ({ ...talk, outcome })))
    }
    setWords('')
  }
  const command = () => curlOf(settings.kind, bodyOf(askedOf(0, words || 'Hello!')))
  return (
    <>
      <Head title="Playground">
        <CopyButton text={command} label="Copy as curl" />
        <button type="button" onClick={() => setTalks([silent, silent])} disabled={isRunning}>
          Start again
        </button>
      </Head>
      <datalist id="models">
        {(routes.data?.models ?? []).slice(0, 1000).map((model) => (
          <option key={model} value={model} />
        ))}
      </datalist>
      <div class={names.length === 2 ? 'playground two' : 'playground'}>
        <div class="sides">
          {names.map((name, at) => (
            <Side
              key={at}
              label={names.length === 2 ? (at === 0 ? 'Left model' : 'Right model') : 'Model'}
              model={name}
              turns={talks[at]?.turns ?? []}
              outcome={talks[at]?.outcome}
              onModel={(model) => askInUrl({ [at === 0 ? 'model' : 'beside']: model })}
            />
          ))}
        </div>
        <Panel title="Ask">
          <form onSubmit={send} class="fields">
            <CallKey />
            <label>
              {settings.kind === 'chat' ? 'Message' : 'Prompt'}
              <textarea
                rows={3}
                value={words}
                placeholder="Ctrl + Enter sends it"
                onInput={({ currentTarget }) => setWords(currentTarget.value)}
                onKeyDown={(event) => {
                  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
                  event.preventDefault()
                  event.currentTarget.form?.requestSubmit()
                }}
              />
            </label>
            <Parameters
              settings={settings}
              onChange={setSettings}
              isCompared={names.length === 2}
              onCompare={(isCompared) => askInUrl({ beside: isCompared ? names[0] : undefined })}
            />
            <div class="buttons">
              {isRunning && (
                <button type="button" onClick={() => running.current?.abort()}>
                  Stop
                </button>
              )}
              <button type="submit" class="main" disabled={isRunning || words.trim() === ''}>
                Send
              </button>
            </div>
          </form>
        </Panel>
      </div>
    </>
  )
}

/** The models are in the URL, so that a comparison can be shared. */
function namesIn(asked: URLSearchParams, otherwise: string): readonly string[] {
  const beside = asked.get('beside')
  return [asked.get('model') ?? otherwise, ...(beside === null ? [] : [beside])]
}

/** The conversation that the next turn continues. */
function spokenIn({ turns, outcome }: Talk): readonly Turn[] {
  if (outcome === undefined || outcome.text === '') return turns.slice(0, -1)
  return [...turns, { role: 'assistant', text: outcome.text }]
}

function curlOf(kind: Settings['kind'], body: object): string {
  const path = kind === 'chat' ? '/v1/chat/completions' : '/v1/completions'
  const key = session.value?.calls_need_key === true ? ' -H "Authorization: Bearer $GATEWAY_KEY"' : ''
  const sent = JSON.stringify(body).replaceAll("'", String.raw`'\''`)
  return `curl ${location.origin}${path}${key} -H 'Content-Type: application/json' -d '${sent}'`
}
