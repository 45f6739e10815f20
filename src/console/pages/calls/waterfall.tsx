import { Badge } from '../../parts/badge.tsx'
import { durationOf, usdOf } from '../../text/amounts.ts'
import type { AttemptRow, WholeCall } from './call-types.ts'

/**
 * Every attempt on the time axis of the call: its wait in a queue, its first token and its end; and whether it
 * continued an interrupted answer.
 */
export function Waterfall({ call }: { call: WholeCall }) {
  const { attempts, total_ms: total } = call
  if (attempts.length === 0) return <p class="muted">No upstream was asked.</p>
  return (
    <>
      <ol class="waterfall">
        {attempts.map((attempt, at) => (
          <Row key={`${at} ${attempt.deployment}`} attempt={attempt} nth={at + 1} total={total} />
        ))}
      </ol>
      <p class="muted small scale">
        <span>0</span>
        <span>{durationOf(total)}</span>
      </p>
      <ul class="legend" aria-label="What the bars are">
        <li class="tone-third">waits for a slot</li>
        <li class="tone-second">to the first token</li>
        <li class="tone-main">answers</li>
        <li class="tone-bad">failed</li>
      </ul>
    </>
  )
}

function Row({ attempt, nth, total }: { attempt: AttemptRow; nth: number; total: number }) {
  const { deployment, outcome, start_ms: start, queued_ms: queued } = attempt
  const isOk = outcome === 'ok'
  const first = attempt.first_token_ms ?? (isOk ? attempt.total_ms : 0)
  const rest = attempt.total_ms - first
  const part = (ms: number) => (total <= 0 ? 0 : (100 * ms) / total)
  const bars = [
    { tone: 'third', from: start - queued, ms: queued },
    { tone: 'second', from: start, ms: first },
    { tone: isOk ? 'main' : 'bad', from: start + first, ms: rest },
  ].filter(({ ms }) => ms > 0)
  return (
    <li>
      <div class="attempt-head">
        <span class="nth">{nth}</span>
        <strong class="clip">{deployment}</strong>
        <Badge tone={isOk ? 'good' : 'bad'}>{outcome.replaceAll('_', ' ')}</Badge>
        {attempt.delivered === true && <Badge tone="plain">answered the caller</Badge>}
        {attempt.resumed === true && <Badge tone="warn">continued the answer here</Badge>}
        {attempt.uncertain === true && <Badge tone="warn">may have been charged</Badge>}
        <span class="spring" />
        <span>{attempt.cost_usd === null ? 'cost unknown' : usdOf(Number(attempt.cost_usd))}</span>
      </div>
      <svg class="bars" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        {bars.map(({ tone, from, ms }) => (
          <rect
            key={tone}
            class={`bar-${tone}`}
            x={part(Math.max(0, from))}
            width={Math.max(part(ms), 0.4)}
            y="1"
            height="8"
          />
        ))}
        {attempt.resumed === true && <rect class="seam" x={part(start)} width="0.4" y="0" height="10" />}
      </svg>
      <p class="small muted attempt-facts">{factsOf(attempt).join(' · ')}</p>
      {attempt.operator_note !== null && <p class="notice warn">{attempt.operator_note}</p>}
      {attempt.upstream_said !== null && (
        <blockquote class="said">
          <span class="muted small">The upstream said</span> {attempt.upstream_said}
        </blockquote>
      )}
    </li>
  )
}

function factsOf(attempt: AttemptRow): readonly string[] {
  const { queued_ms: queued, headers_ms: headers, first_token_ms: first, used } = attempt
  return [
    `began at ${durationOf(attempt.start_ms)}`,
    ...(queued > 0 ? [`waited ${durationOf(queued)} for a slot`] : []),
    ...(headers === null ? [] : [`headers after ${durationOf(headers)}`]),
    ...(first === null ? [] : [`first token after ${durationOf(first)}`]),
    `took ${durationOf(attempt.total_ms)}`,
    ...(attempt.upstream_status === null ? [] : [`HTTP ${attempt.upstream_status}`]),
    ...(attempt.code === null ? [] : [attempt.code]),
    ...(used === null
      ? []
      : [`${used.prompt_tokens} tokens in (${used.cached_tokens} cached), ${used.completion_tokens} out`]),
    ...(attempt.price_source === null ? [] : [`price: ${attempt.price_source}`]),
    ...(attempt.upstream_id === null ? [] : [`its id: ${attempt.upstream_id}`]),
  ]
}
