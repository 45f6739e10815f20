import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Authenticator } from '../../core/authenticate.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { usdText } from '../../core/model/price.ts'
import { sendJson, sendText } from '../call/answer/send.ts'
import { apiKeyOf } from '../call/api-key.ts'
import type { Shedding } from '../call/shedding.ts'

export type SystemParts = {
  readonly gate: Authenticator
  /** The metrics for Prometheus. */
  readonly metrics: MetricsText
  readonly version: string
  /** True if no upstream is configured, so that the built-in simulator answers. */
  readonly demo: boolean
  /** True as soon as the gateway begins to stop. */
  readonly isLeaving: () => boolean
  readonly shedding: Pick<Shedding, 'reason'>
  readonly configuration: () => ConfigurationState
  readonly catalog: () => CatalogState
  /** Undefined: there is no ledger, and calls are only logged. */
  readonly ledger: (() => LedgerState) | undefined
  /** Undefined: this is the only node. */
  readonly shared: (() => SharedEngine) | undefined
}

/** The time at which the current configuration was loaded, and whether a newer one was refused. */
export type ConfigurationState = { readonly loadedEpochMs: number; readonly isRefused: boolean }

/** The age of the catalogue and of the providers' model lists. */
export type CatalogState = {
  readonly asOf: string
  readonly lists: readonly {
    readonly provider: string
    readonly readEpochMs: number | undefined
    readonly models: number
    readonly failures: number
  }[]
  readonly nowEpochMs: number
}

/** The lag of the store behind the calls, and whether the journal can be written. */
export type LedgerState = {
  readonly store: string
  readonly isDiskFull: boolean
  readonly failure: string | undefined
  readonly behindBytes: number
  readonly behindMs: number
  readonly droppedCalls: number
  readonly unwrittenCalls: number
}

/** The state of the shared engine for budgets and limits of several nodes. */
export type SharedEngine = {
  readonly engine: string
  readonly isUp: boolean
  /** The behaviour while the engine is unavailable. */
  readonly onLoss: 'local' | 'closed' | 'open'
  readonly nodes: number
  readonly leasedNanoUsd: number
  readonly untold: number
}

/** All metrics as text in Prometheus' format, and its content type. */
export interface MetricsText {
  readonly contentType: string
  text(): Promise<string>
}

/**
 * Serves liveness, readiness, health and metrics. Only the metrics require a management key, if keys are configured.
 */
export function serveSystem(router: Router, parts: SystemParts): void {
  // Some clients check here for a server.
  router.get('/', (ctx) => {
    reply(ctx, 200, { name: 'pandotate-gateway', version: parts.version })
  })
  router.get('/livez', (ctx) => {
    reply(ctx, 200, { status: 'ok' })
  })
  router.get('/readyz', (ctx) => {
    // A node that sheds load is still ready: removing it would overload the others.
    const status = parts.isLeaving() ? 'draining' : isClosed(parts.shared?.()) ? 'shared_away' : 'ok'
    reply(ctx, status === 'ok' ? 200 : 503, { status })
  })
  router.get('/health', (ctx) => {
    const isLeaving = parts.isLeaving()
    const { version, demo } = parts
    const overload = parts.shedding.reason() ?? null
    const { loadedEpochMs, isRefused } = parts.configuration()
    const configuration = { loaded_at: new Date(loadedEpochMs).toISOString(), refused: isRefused }
    const status = isLeaving ? 'draining' : 'ok'
    const ledger = ledgerBody(parts.ledger?.())
    const catalog = catalogBody(parts.catalog())
    const shared = sharedBody(parts.shared?.())
    const body = { status, version, demo, overload, configuration, catalog, ledger, shared }
    reply(ctx, isLeaving ? 503 : 200, body)
  })
  router.get('/metrics', async (ctx) => {
    parts.gate.admitManager(apiKeyOf(ctx.req), 'metrics')
    const text = await parts.metrics.text()
    ctx.respond = false
    sendText(ctx.req, ctx.res, 200, text, idOf(ctx), parts.metrics.contentType)
  })
}

/** The body of the catalogue's state. A list that was never read has no date; the catalogue is used instead. */
function catalogBody({ asOf, lists, nowEpochMs }: CatalogState): JsonObject {
  return {
    as_of: asOf,
    lists: lists.map(({ provider, readEpochMs, models, failures }) => ({
      ...{ provider, status: failures > 0 ? 'failing' : readEpochMs === undefined ? 'asked' : 'ok', models },
      read_at: readEpochMs === undefined ? null : new Date(readEpochMs).toISOString(),
      age_seconds: readEpochMs === undefined ? null : Math.max(0, (nowEpochMs - readEpochMs) / 1000),
    })),
  }
}

/**
 * The body of the ledger's state; null without a ledger. Details of a store's failure are left out, because anyone can
 * read this.
 */
function ledgerBody(ledger: LedgerState | undefined): JsonObject | null {
  if (ledger === undefined) return null
  const { store, isDiskFull, failure, behindBytes, behindMs, droppedCalls, unwrittenCalls } = ledger
  const status = isDiskFull ? 'disk_full' : failure === undefined ? 'ok' : 'store_fails'
  return {
    ...{ status, store, behind_bytes: behindBytes, behind_seconds: behindMs / 1000 },
    ...{ dropped_calls: droppedCalls, unwritten_calls: unwrittenCalls },
  }
}

/** True if this node cannot answer calls with budgets or limits, because the engine is unavailable. */
function isClosed(shared: SharedEngine | undefined): boolean {
  return shared !== undefined && !shared.isUp && shared.onLoss === 'closed'
}

/** The body of the shared engine's state; null without one. */
function sharedBody(shared: SharedEngine | undefined): JsonObject | null {
  if (shared === undefined) return null
  const { engine, isUp, onLoss, nodes, leasedNanoUsd, untold } = shared
  const status = isUp ? 'ok' : 'away'
  return { status, engine, on_loss: onLoss, nodes, leased_usd: usdText(leasedNanoUsd), untold }
}

function reply(ctx: Context, status: number, body: JsonObject): void {
  ctx.respond = false
  sendJson(ctx.req, ctx.res, status, body, idOf(ctx))
}

function idOf(ctx: Context): readonly string[] {
  return ['x-request-id', ctx.state['requestId'] as string]
}
