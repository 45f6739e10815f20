import { useEffect, useRef } from 'preact/hooks'
import { Badge } from '../../parts/badge.tsx'
import { durationOf, exactUsdOf, wholeOf } from '../../text/amounts.ts'
import type { Outcome, Turn } from './run.ts'

type SideProps = {
  readonly label: string
  readonly model: string
  readonly turns: readonly Turn[]
  readonly outcome: Outcome | undefined
  readonly onModel: (model: string) => void
}

/** One model, the messages to it, and its answer with its duration and cost. */
export function Side({ label, model, turns, outcome, onModel }: SideProps) {
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => end.current?.scrollIntoView({ block: 'nearest' }), [outcome?.text.length, turns.length])
  return (
    <section class="panel side-panel" aria-label={label}>
      <label class="model">
        {label}
        <input
          list="models"
          value={model}
          autocomplete="off"
          placeholder="the name of a model"
          spellcheck={false}
          onChange={({ currentTarget }) => onModel(currentTarget.value.trim())}
        />
      </label>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys. */}
      <section class="talk" tabIndex={0} aria-label={`Conversation with ${model}`}>
        {turns.length === 0 && <p class="muted">No messages yet.</p>}
        {turns.map(({ role, text }, at) => (
          <p key={at} class={`said ${role}`}>
            {text}
          </p>
        ))}
        {outcome !== undefined && <Answered of={outcome} />}
        <div ref={end} />
      </section>
      {outcome !== undefined && <Took of={outcome} />}
    </section>
  )
}

function Answered({ of: { text, reasoning, state, problem } }: { of: Outcome }) {
  return (
    <>
      {reasoning !== '' && (
        <details>
          <summary>Reasoning</summary>
          <p class="said reasoning">{reasoning}</p>
        </details>
      )}
      {(text !== '' || state === 'running') && (
        <p class="said assistant">{text === '' ? <span class="muted">…</span> : text}</p>
      )}
      {problem !== undefined && (
        <p class="notice bad" role="alert">
          {problem}
        </p>
      )}
    </>
  )
}

/** Announced at the end, not with each word. */
function Took({ of: outcome }: { of: Outcome }) {
  const { state, firstTokenMs, totalMs, tokens, costUsd, deployment, id, finish } = outcome
  const speed =
    tokens !== undefined && totalMs !== undefined && firstTokenMs !== undefined && totalMs - firstTokenMs > 1
      ? `${wholeOf((tokens.completion * 1000) / (totalMs - firstTokenMs))} tokens/s`
      : undefined
  return (
    <div class="took" aria-live="polite" aria-busy={state === 'running'}>
      {state === 'running' ? (
        <Badge tone="plain">answers</Badge>
      ) : state === 'done' ? (
        <Badge tone="good">{finish ?? 'done'}</Badge>
      ) : (
        <Badge tone={state === 'failed' ? 'bad' : 'warn'}>{state}</Badge>
      )}
      {state !== 'running' && (
        <dl>
          <Fact
            name="Cost"
            value={costUsd === undefined ? undefined : costUsd === null ? 'not known' : exactUsdOf(costUsd)}
          />
          <Fact
            name="First token"
            value={firstTokenMs === undefined ? undefined : durationOf(firstTokenMs)}
          />
          <Fact name="In all" value={totalMs === undefined ? undefined : durationOf(totalMs)} />
          <Fact
            name="Tokens"
            value={tokens && `${wholeOf(tokens.prompt)} in, ${wholeOf(tokens.completion)} out`}
          />
          <Fact name="Speed" value={speed} />
          <Fact name="Ran at" value={deployment} />
        </dl>
      )}
      {id !== undefined && state !== 'running' && <a href={`/console/calls/${id}`}>The call</a>}
    </div>
  )
}

function Fact({ name, value }: { name: string; value: string | undefined }) {
  if (value === undefined) return null
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
