import { useMemo, useState } from 'preact/hooks'
import { useAnswer } from '../../app/answer.ts'
import { ask, query } from '../../app/router.ts'
import { session } from '../../app/session.ts'
import { CallNeeds, callCurl, Empty } from '../../parts/empty.tsx'
import { Head } from '../../parts/head.tsx'
import { Loaded } from '../../parts/loaded.tsx'
import { NoLedger } from '../../parts/no-ledger.tsx'
import { Panel } from '../../parts/panel.tsx'
import { spanOf } from '../../parts/span.ts'
import { SpanPicker } from '../../parts/span-picker.tsx'
import { Breakdown } from './breakdown.tsx'
import { Charts } from './charts.tsx'
import { Failures } from './failures.tsx'
import { Totals } from './totals.tsx'
import { dimensions, stepOf, type Usage, usagePath } from './usage.ts'

/** Spend, savings, requests, errors and latency of a span of time. */
export function Overview() {
  // A span that ends now is fixed when the page opens, until the page is refreshed.
  const [now, setNow] = useState(Date.now)
  const { search } = { search: query.value.toString() }
  const span = useMemo(() => spanOf(now), [now, search])
  const step = stepOf(span)
  const totals = useAnswer<Usage>(usagePath(span, { percentiles: 'true', compare: 'true' }))
  const overTime = useAnswer<Usage>(usagePath(span, { by: step, percentiles: 'true', limit: '2500' }))
  const total = totals.data?.data[0]
  const isNarrowed = Object.keys(dimensions).some((name) => query.value.has(name))
  const isEmpty = totals.data !== undefined && (total?.requests ?? 0) === 0
  return (
    <>
      <Head title="Overview">
        <SpanPicker span={span} />
        <button type="button" onClick={() => setNow(Date.now())}>
          Refresh
        </button>
      </Head>
      <Narrowed />
      {totals.refusal?.code === 'no_ledger' ? (
        <NoLedger />
      ) : (
        <>
          <Loaded answer={totals}>
            {(usage) =>
              isEmpty && !isNarrowed ? (
                <FirstCall onCall={() => setNow(Date.now())} />
              ) : (
                <Totals usage={usage} />
              )
            }
          </Loaded>
          {!isEmpty && (
            <>
              <Loaded answer={overTime}>
                {({ data }) => <Charts rows={data} span={span} step={step} />}
              </Loaded>
              <div class="columns">
                <Breakdown span={span} />
                <Failures span={span} />
              </div>
            </>
          )}
        </>
      )}
    </>
  )
}

/** The filters of the page, each with a button that removes it. */
function Narrowed() {
  const parts = Object.entries(dimensions).flatMap(([name, label]) => {
    const value = query.value.get(name)
    return value === null ? [] : [{ name, label, value }]
  })
  if (parts.length === 0) return null
  return (
    <ul class="chips" aria-label="Narrowed to">
      {parts.map(({ name, label, value }) => (
        <li key={name}>
          {label}: <strong>{value}</strong>
          <button type="button" class="plain" onClick={() => ask({ [name]: undefined })}>
            ×<span class="hidden"> Remove {label}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}

function FirstCall({ onCall }: { onCall: () => void }) {
  const { demo } = session.value ?? {}
  return (
    <Panel title="No calls in this span of time">
      <Empty command={callCurl()}>
        {demo === true
          ? 'No upstream is configured: the built-in simulator generates the answers. '
          : 'Calls go to the configured upstreams. '}
        <CallNeeds />
        Make one, and it is counted here within seconds.
      </Empty>
      <button type="button" onClick={onCall}>
        Look again
      </button>
    </Panel>
  )
}
