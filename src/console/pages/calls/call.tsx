import { useAnswer } from '../../app/answer.ts'
import { urlOf } from '../../app/router.ts'
import { Badge } from '../../parts/badge.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Head } from '../../parts/head.tsx'
import { Loaded } from '../../parts/loaded.tsx'
import { Panel } from '../../parts/panel.tsx'
import { agoOf, momentOf } from '../../text/times.ts'
import type { PageProps } from '../page.ts'
import { CallFacts } from './call-facts.tsx'
import type { WholeCall } from './call-types.ts'
import { Considered } from './considered.tsx'
import { limitTextOf } from './limit-text.ts'
import { commandOf, headersOf } from './repeat.ts'
import { toneOf } from './tones.ts'
import { Waterfall } from './waterfall.tsx'

/** One call: what happened, and why. */
export function Call({ params }: PageProps) {
  const id = params['id'] ?? ''
  const answer = useAnswer<{ data: WholeCall }>(`/admin/api/calls/${encodeURIComponent(id)}`)
  const call = answer.data?.data
  return (
    <>
      <Head title={<span class="clip">{call?.model ?? 'Call'}</span>}>
        <CopyButton text={id} label="Copy id" />
        {call !== undefined && <CopyButton text={commandOf(call)} label="Copy as curl" />}
      </Head>
      <p class="muted">
        <a href="/console/calls">Calls</a> / <code>{id}</code>
      </p>
      <Loaded answer={answer}>{({ data }) => <Shown call={data} />}</Loaded>
    </>
  )
}

function Shown({ call }: { call: WholeCall }) {
  const at = Date.parse(call.created_at)
  const { failure, limit } = call
  return (
    <>
      <p class="call-line">
        <Badge tone={toneOf(call.status, call.outcome)}>
          {call.status} {call.outcome === 'left' ? 'the caller left' : call.outcome}
        </Badge>{' '}
        {momentOf(at)} <span class="muted">({agoOf(at)})</span>
        {call.slow && <Badge tone="warn">slow</Badge>}
        {call.cache !== null && <Badge tone="plain">{call.cache}: no upstream was asked</Badge>}
      </p>
      {failure !== null && (
        <p class="notice bad">
          It failed of <strong>{failure.kind.replaceAll('_', ' ')}</strong>
          {failure.code !== null && failure.code !== failure.kind && (
            <>
              {' '}
              (<code>{failure.code}</code>)
            </>
          )}
          .{' '}
          {limit !== null && (
            <>
              It met <a href={urlOf('/console/keys', { budget: limit })}>{limitTextOf(call)}</a>.
            </>
          )}{' '}
          <a href={urlOf('/console/calls', { failure: failure.kind })}>Other calls that failed of it</a>
        </p>
      )}
      <Panel title="Attempts">
        <Waterfall call={call} />
      </Panel>
      <Panel title="Who was considered">
        <Considered call={call} />
      </Panel>
      <CallFacts call={call} />
      <Panel title="Headers of the answer">
        <dl class="headers">
          {headersOf(call).map(([name, value]) => (
            <div key={name}>
              <dt>
                <code>{name}</code>
              </dt>
              <dd>
                <code>{value}</code>
              </dd>
            </div>
          ))}
        </dl>
        <p class="muted small">
          As the record has them: what an answer bears beside them is its format’s own.
        </p>
      </Panel>
    </>
  )
}
