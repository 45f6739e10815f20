import { useMemo, useState } from 'preact/hooks'
import { useAnswer } from '../../app/answer.ts'
import { ask, query, urlOf } from '../../app/router.ts'
import { CallNeeds, callCurl, Empty } from '../../parts/empty.tsx'
import { Head } from '../../parts/head.tsx'
import { Loaded } from '../../parts/loaded.tsx'
import { NoLedger } from '../../parts/no-ledger.tsx'
import { spanOf } from '../../parts/span.ts'
import { SpanPicker } from '../../parts/span-picker.tsx'
import { momentOf } from '../../text/times.ts'
import { CallTable } from './call-table.tsx'
import type { CallCounts, CallsPage } from './call-types.ts'
import { FilterBar } from './filter-bar.tsx'
import { chosenFilters } from './filters.ts'
import { Histogram } from './histogram.tsx'
import { useLiveCalls } from './live.ts'

/** The calls, live and searchable. The filters are in the URL. */
export function Calls() {
  const [now, setNow] = useState(Date.now)
  const search = query.value.toString()
  const span = useMemo(() => spanOf(now), [now, search])
  const chosen = useMemo(chosenFilters, [search])
  const before = query.value.get('before') ?? undefined
  const isLive = query.value.get('live') === 'on' && before === undefined
  const bounds = { from: new Date(span.from).toISOString(), to: new Date(span.to).toISOString() }
  const page = useAnswer<CallsPage>(
    urlOf('/admin/api/calls', {
      ...bounds,
      ...chosen,
      limit: '50',
      ...(before === undefined ? {} : { before }),
    }),
  )
  const counts = useAnswer<CallCounts>(urlOf('/admin/api/calls/counts', { ...bounds, ...chosen }))
  const live = useLiveCalls(isLive ? urlOf('/admin/api/calls/live', chosen) : undefined)
  return (
    <>
      <Head title="Calls">
        <button
          type="button"
          aria-pressed={isLive}
          class={isLive ? 'on' : ''}
          onClick={() => ask({ live: isLive ? undefined : 'on', before: undefined })}
        >
          {isLive ? '● Live' : 'Live'}
        </button>
        <SpanPicker span={span} />
        <button type="button" onClick={() => setNow(Date.now())}>
          Refresh
        </button>
      </Head>
      {page.refusal?.code === 'no_ledger' ? (
        <NoLedger />
      ) : (
        <>
          <FilterBar chosen={chosen} />
          <Loaded answer={counts}>{(data) => <Histogram counts={data} />}</Loaded>
          {isLive && (
            <p class="muted small live-state" aria-live="polite">
              {live.isOpen ? 'Calls appear as they end.' : 'Connecting…'}
              {live.more > 0 && ` ${live.more} more went by too fast to show.`}
            </p>
          )}
          <Loaded answer={page}>
            {(data) => (
              <Page
                page={data}
                live={live.rows}
                before={before}
                isFiltered={Object.keys(chosen).length > 0}
              />
            )}
          </Loaded>
        </>
      )}
    </>
  )
}

type PageProps = {
  readonly page: CallsPage
  readonly live: CallsPage['data']
  readonly before: string | undefined
  readonly isFiltered: boolean
}

function Page({ page: { data, next, searched_to: searchedTo }, live, before, isFiltered }: PageProps) {
  const seen = new Set(live.map(({ id }) => id))
  const rows = [...live, ...data.filter(({ id }) => !seen.has(id))]
  const none = isFiltered ? (
    <p class="muted">No call in this span matches{searchedTo === null ? '.' : ', so far.'}</p>
  ) : (
    <Empty command={callCurl()}>
      There were no calls in this span of time. <CallNeeds />
      Make one:
    </Empty>
  )
  return (
    <div class="panel">
      <CallTable rows={rows} none={none} fresh={seen} />
      {searchedTo !== null && (
        <p class="muted small">
          No index finds these calls: they were looked for back to {momentOf(Date.parse(searchedTo))}.
        </p>
      )}
      <nav class="paging" aria-label="Pages of calls">
        {before !== undefined && (
          <button type="button" onClick={() => ask({ before: undefined })}>
            Latest
          </button>
        )}
        {next !== null && (
          <button type="button" onClick={() => ask({ before: next, live: undefined })}>
            {searchedTo === null ? 'Older' : 'Look further back'}
          </button>
        )}
      </nav>
    </div>
  )
}
