import { useAnswer } from '../../app/answer.ts'
import { urlOf } from '../../app/router.ts'
import { Loaded } from '../../parts/loaded.tsx'
import { Panel } from '../../parts/panel.tsx'
import type { Span } from '../../parts/span.ts'
import { Table } from '../../parts/table.tsx'
import { countOf, shareOf } from '../../text/amounts.ts'
import { type Usage, usagePath } from './usage.ts'

/** Why calls failed. */
export function Failures({ span }: { span: Span }) {
  const answer = useAnswer<Usage>(usagePath(span, { by: 'failure', limit: '50' }))
  return (
    <Panel title="Errors by kind">
      <Loaded answer={answer}>
        {({ data }) => {
          const all = data.reduce((sum, { requests }) => sum + requests, 0)
          const failed = data.filter(({ failure }) => failure !== null)
          return (
            <Table
              caption="Errors by kind"
              rows={failed.toSorted((one, other) => other.requests - one.requests)}
              keyOf={({ failure }) => failure ?? ''}
              none={<p class="muted">Every call of this span was answered.</p>}
              columns={[
                { name: 'Kind', show: ({ failure }) => <Kind name={failure ?? ''} /> },
                { name: 'Calls', isNumber: true, show: ({ requests }) => countOf(requests) },
                { name: 'Share', isNumber: true, show: ({ requests }) => shareOf(requests, all) },
              ]}
            />
          )
        }}
      </Loaded>
    </Panel>
  )
}

function Kind({ name }: { name: string }) {
  return (
    <a href={urlOf('/console/calls', { failure: name })}>
      {name === 'left' ? 'left by the caller' : name.replaceAll('_', ' ')}
    </a>
  )
}
