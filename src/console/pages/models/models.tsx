import { useState } from 'preact/hooks'
import { type Answer, useAnswer } from '../../app/answer.ts'
import { Badge } from '../../parts/badge.tsx'
import { CallNeeds, callCurl, Empty } from '../../parts/empty.tsx'
import { Head } from '../../parts/head.tsx'
import { Loaded } from '../../parts/loaded.tsx'
import { Panel } from '../../parts/panel.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { countOf, durationOf, shareOf } from '../../text/amounts.ts'
import { agoOf } from '../../text/times.ts'
import { DeploymentActions } from './actions.tsx'
import { PriceTag } from './price.tsx'
import { State } from './state.tsx'
import type { DeploymentRow, RouteRow, Routes } from './wire.ts'

type Deployments = { readonly data: readonly DeploymentRow[] }
type Used = { readonly deployment: string | null; readonly requests: number }

/** The models that callers may request, their deployments, and the health of each. */
export function Models() {
  const deployments = useAnswer<Deployments>('/admin/api/deployments', 5000)
  const routes = useAnswer<Routes>('/admin/api/routes', 30_000)
  const usage = useAnswer<{ data: readonly Used[] }>('/admin/api/usage?by=deployment&from=24h', 30_000)
  const [find, setFind] = useState('')
  return (
    <>
      <Head title="Models and deployments">
        <label>
          <span class="hidden">Find</span>
          <input
            type="search"
            placeholder="Find a model or provider"
            value={find}
            onInput={({ currentTarget }) => setFind(currentTarget.value)}
          />
        </label>
      </Head>
      <Panel title="Deployments">
        <Loaded answer={deployments}>
          {({ data }) => (
            <DeploymentTable
              rows={data.filter((row) => isFound(row, find))}
              used={usage.data?.data ?? []}
              onChange={deployments.again}
            />
          )}
        </Loaded>
      </Panel>
      <RoutesPanel answer={routes} rows={deployments.data?.data ?? []} find={find} />
    </>
  )
}

function isFound({ id, model, routes }: DeploymentRow, find: string): boolean {
  const words = find.toLowerCase()
  return [id, model ?? '', ...routes].some((text) => text.toLowerCase().includes(words))
}

type TableProps = {
  readonly rows: readonly DeploymentRow[]
  readonly used: readonly Used[]
  readonly onChange: () => void
}

function DeploymentTable({ rows, used, onChange }: TableProps) {
  const all = used.reduce((sum, { requests }) => sum + requests, 0)
  const requestsOf = (id: string) => used.find(({ deployment }) => deployment === id)?.requests ?? 0
  const columns: readonly Column<DeploymentRow>[] = [
    { name: 'Deployment', show: (row) => <Named of={row} /> },
    {
      name: 'State',
      show: (row) => (
        <>
          <State of={row} />
          <Why of={row} />
        </>
      ),
    },
    {
      name: 'Share of calls, 24 h',
      isNumber: true,
      isMinor: true,
      show: ({ id, model }) => (model === null ? shareOf(requestsOf(id), all) : ''),
    },
    {
      name: 'Answered',
      isNumber: true,
      isMinor: true,
      show: ({ attempts, answered, failed, limited }) =>
        attempts === 0 ? (
          <span class="muted">–</span>
        ) : (
          <>
            {shareOf(answered, attempts)}
            <br />
            <span class="muted small">
              {countOf(attempts)} tries{failed > 0 && `, ${countOf(failed)} failed`}
              {limited > 0 && `, ${countOf(limited)} limited`}
            </span>
          </>
        ),
    },
    {
      name: 'First token',
      isNumber: true,
      isMinor: true,
      show: ({ first_token_ms: ms, tokens_per_second: speed }) => (
        <>
          {durationOf(ms)}
          {speed !== null && (
            <>
              <br />
              <span class="muted small">{Math.round(speed)} tokens/s</span>
            </>
          )}
        </>
      ),
    },
    { name: 'Now', isNumber: true, isMinor: true, show: ({ in_flight: calls }) => countOf(calls) },
    { name: 'Price', isMinor: true, show: ({ price }) => <PriceTag of={price} /> },
    {
      name: 'Actions',
      isNumber: true,
      show: (row) => row.model === null && <DeploymentActions of={row} onChange={onChange} />,
    },
  ]
  return (
    <Table
      caption="Deployments"
      columns={columns}
      rows={rows}
      keyOf={({ id, model }) => `${id} ${model ?? ''}`}
      classOf={({ model }) => (model === null ? undefined : 'inner')}
      none={<p class="muted">No deployment has this name.</p>}
    />
  )
}

function Named({ of: { id, model, provider, routes } }: { of: DeploymentRow }) {
  if (model !== null) return <span class="indent">{model}</span>
  const others = routes.filter((route) => !id.startsWith(`${route}@`))
  return (
    <>
      <b>{provider === null ? id : id.slice(0, -provider.length - 1)}</b>
      {provider !== null && <span class="muted"> at {provider}</span>}
      {others.length > 0 && (
        <>
          <br />
          <span class="muted small">as {others.join(', ')}</span>
        </>
      )}
    </>
  )
}

/** Facts about its state. */
function Why({ of: row }: { of: DeploymentRow }) {
  const { drained, breaker, opens_until_epoch_ms: until, probe, share, last_failure: failure } = row
  const told = [
    drained !== null &&
      `by ${drained.by} ${agoOf(Date.parse(drained.since))}${drained.reason === null ? '' : `: ${drained.reason}`}`,
    row.presence?.successor && `its successor is ${row.presence.successor}`,
    breaker === 'open' &&
      `${row.failures_in_a_row} in a row${until === null ? '' : `, tried again ${agoOf(until)}`}`,
    share < 1 && `gets ${Math.round(share * 100)} % of its share`,
    failure !== null && row.failed + row.limited > 0 && `last failure: ${failure}`,
    probe !== null &&
      `probed ${agoOf(probe.at_epoch_ms)}: ${probe.failure ?? probe.outcome}${workersOf(probe)}`,
  ].filter(Boolean)
  return (
    <>
      {told.map((text) => (
        <span key={text} class="muted small line">
          {text}
        </span>
      ))}
    </>
  )
}

function workersOf({
  queued,
  idle_workers: idle,
  busy_workers: busy,
}: NonNullable<DeploymentRow['probe']>): string {
  const told = [
    busy !== null && `${busy} busy`,
    idle !== null && `${idle} idle`,
    queued !== null && queued > 0 && `${queued} wait`,
  ].filter(Boolean)
  return told.length === 0 ? '' : `, ${told.join(', ')}`
}

type RoutesProps = {
  readonly answer: Answer<Routes>
  readonly rows: readonly DeploymentRow[]
  readonly find: string
}

function RoutesPanel({ answer, rows, find }: RoutesProps) {
  const words = find.toLowerCase()
  const columns: readonly Column<RouteRow>[] = [
    {
      name: 'Callers ask for',
      show: ({ pattern }) => (pattern.includes('*') ? <code>{pattern}</code> : <b>{pattern}</b>),
    },
    { name: 'Strategy', show: ({ strategy }) => <Badge tone="plain">{strategy}</Badge> },
    {
      name: 'Runs at',
      show: ({ deployments, baseline }) => (
        <ol class="chain">
          {deployments.map(({ id, weight }) => {
            const row = rows.find((one) => one.id === id && one.model === null)
            return (
              <li key={id}>
                <span>{id}</span> {row !== undefined && <State of={row} />}
                {weight !== 1 && <span class="muted small"> weight {weight}</span>}
                {id === baseline && deployments.length > 1 && <span class="muted small"> baseline</span>}
              </li>
            )
          })}
        </ol>
      ),
    },
  ]
  return (
    <Panel title="Routes">
      <Loaded answer={answer}>
        {({ data, models, is_default: isDefault }) => (
          <>
            {isDefault && (
              <p class="muted">
                No models are configured: the catalogue’s routes are in use. Write <code>models</code> in{' '}
                <code>gateway.yaml</code> for routes of your own.
              </p>
            )}
            <Table
              caption="Routes"
              columns={columns}
              rows={data.filter(({ pattern, deployments }) =>
                [pattern, ...deployments.map(({ id }) => id)].some((text) =>
                  text.toLowerCase().includes(words),
                ),
              )}
              keyOf={({ pattern }) => pattern}
              none={<p class="muted">No route has this name.</p>}
            />
            {models.length > 0 && (
              <details>
                <summary>
                  {countOf(models.length)} {models.length === 1 ? 'model is' : 'models are'} listed to callers
                </summary>
                <ul class="columns">
                  {models
                    .filter((model) => model.toLowerCase().includes(words))
                    .slice(0, 500)
                    .map((model) => (
                      <li key={model}>
                        <code>{model}</code>
                      </li>
                    ))}
                </ul>
              </details>
            )}
            {rows.length > 0 && rows.every(({ attempts }) => attempts === 0) && (
              <Empty command={callCurl()}>
                None has had a call yet. <CallNeeds />
                The first one shows how it does:
              </Empty>
            )}
          </>
        )}
      </Loaded>
    </Panel>
  )
}
