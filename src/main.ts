import { randomFillSync } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { createBatch } from './core/attempt/batch.ts'
import { createDrains } from './core/health/drains.ts'
import type { Clock, Sink } from './core/model/ports.ts'
import type { ListedModel } from './core/plan/router.ts'
import { createResponseStore } from './core/reuse/response-store.ts'
import { watchPressure } from './http/call/pressure.ts'
import { createShedding, type Shedding } from './http/call/shedding.ts'
import { createRequestIds } from './http/middleware/request-id.ts'
import { answerUnparsed } from './http/middleware/unparsed.ts'
import { createConsole } from './main/console.ts'
import { createDrain, type Drain, type DrainTimes } from './main/drain.ts'
import { createGuards } from './main/guards.ts'
import { shareHealth } from './main/health-messages.ts'
import { createLiveConfig } from './main/reload/live-config.ts'
import { createReload, type Reload } from './main/reload/reload.ts'
import type { LastingTimes, Snapshot } from './main/reload/snapshot.ts'
import { alone, type Role } from './main/role.ts'
import { drainsOver } from './main/shared-drains.ts'
import { adminFor } from './main/tenants/admin.ts'
import type { Books } from './main/tenants/books.ts'
import { endingEverywhere } from './main/tenants/shared-keys.ts'
import { openTracing } from './main/tracing.ts'
import { createGenerations } from './telemetry/generations.ts'
import { createHealthLog } from './telemetry/health-log.ts'
import { createJournal } from './telemetry/journal.ts'
import { createLiveCalls } from './telemetry/live-calls.ts'
import { type CallLog, createCallLog } from './telemetry/log.ts'
import type { LedgerCounts } from './telemetry/metrics/ledger-metrics.ts'
import { createMetrics, type Metrics } from './telemetry/metrics/metrics.ts'
import { createStepLog } from './telemetry/step-log.ts'
import type { TraceCounts, Tracing } from './telemetry/traces/tracing.ts'
import { createReasonWarnings } from './telemetry/unknown-reasons.ts'
import { createTokenizer } from './tokenizers/cl100k.ts'
import { createEncoder } from './tokenizers/encoder.ts'

/** A gateway that serves. */
export interface RunningGateway {
  /** Where it listens, such as `http://127.0.0.1:8000`. */
  readonly url: string
  /** The models that callers may name, as far as they are known. */
  models(): readonly ListedModel[]
  /**
   * Applies the configuration that `read` returns to new requests; those in flight finish with the old one. Never
   * throws: an invalid configuration changes nothing, and the log says why.
   */
  reload(read: () => Config): void
  /**
   * Reports that it is not ready, refuses new calls after `delayMs`, ends calls in flight after `graceMs`, and releases
   * everything. Absent times are the configured ones. A second call returns the first one's promise.
   */
  stop(times?: Partial<DrainTimes>): Promise<void>
  /** Makes `stop` end immediately. */
  hurry(): void
}

export type GatewayEnvironment = {
  readonly log: Logger
  /** Writes the lines of calls; absent: `log` does. */
  readonly callLog?: CallLog | undefined
  readonly version: string
  /** Further sinks for the record of each call, beside the log and the metrics. */
  readonly sinks?: readonly Sink[]
  /** Absent: the gateway consists of this process. */
  readonly role?: Role
}

/** Starts a gateway. Rejects if the address or the data directory is not available. */
export async function startGateway(config: Config, environment: GatewayEnvironment): Promise<RunningGateway> {
  const { log, role = alone } = environment
  await using opening = new AsyncDisposableStack()
  const clock: Clock = { now: () => performance.now(), epochMs: () => Date.now() }
  const books = await role.openBooks(config, clock, log, opening)
  const tracing = await openTracing(config, opening, { ...environment, clock })
  const drain = createDrain({
    hangUp: () => succession.hangUp(),
    end: (failure) => succession.end(failure),
  })
  const take = (next: Config) => {
    succession.take(next)
    if (next.tls !== undefined) server.renew(next.tls)
    log.level = next.logLevel
  }
  const inUse = () => succession.current.config
  const passOn = (next: Config) => {
    take(next)
    return role.pass(next)
  }
  const reload = createReload({ first: config, current: inUse, take: passOn, clock, log })
  const guards = createGuards(inUse, clock)
  const pressure = watchPressure(clock)
  const shedding = createShedding({ limits: () => inUse().limits, pressure, random: Math.random })
  const { ledger, shared } = books
  const ledgerReport = ledger && (() => ledger.report())
  const current = () => succession.current
  const metrics = metricsOf(current, { reload, shedding, ledgerReport, books, tracing })
  const live = {
    current: () => role.shown(current()),
    drains: drainsOver(shared.bus, role.drains(createDrains())),
    ...{ configuration: reload.report, madeKey: books.madeKey },
    endCalls: endingEverywhere(books.shared, (keys) => succession.revoke(keys)),
  }
  const lasting = createLasting({ ...environment, role, books, tracing, live, current }, clock, metrics, {
    ...phasesOf(drain),
    configuration: reload.report,
    shedding,
    ...guards,
    ...{ ledger: ledgerReport, shared: shared.report },
  })
  const succession = createLiveConfig(config, lasting)
  await lasting.tokenizer.prepare()
  await lasting.encoder.prepare(modelsIn(config))
  role.join({ current, take, metrics, app: lasting.app })
  const server = await role.listen(listenerOf(current, drain), config, {
    unparsed: (error, socket) => answerUnparsed(error, socket, lasting.app.newId),
    connections: guards.connections,
  })
  const stop = async (times: Partial<DrainTimes>) => {
    await drain.run(server, { ...inUse().drain, ...times })
    await lastRows()
    await succession[Symbol.asyncDispose]()
    // Calls that are drained after their callers disconnected end with their connections.
    await lastRows()
    pressure[Symbol.dispose]()
    await opened.disposeAsync()
  }
  const opened = opening.move()
  let stopping: Promise<void> | undefined
  return {
    url: server.url,
    models: () => succession.current.gateway.models(),
    reload(read) {
      if (drain.phase === 'serving') reload.run(read)
    },
    stop(times = {}) {
      stopping ??= stop(times)
      return stopping
    },
    hurry: drain.hurry,
  }
}

function listenerOf(current: () => Snapshot, drain: Pick<Drain, 'phase'>): RequestListener {
  const arrived = createBatch()
  return (request, response) => {
    // Node then sends `connection: close`.
    if (drain.phase !== 'serving') response.shouldKeepAlive = false
    arrived(() => current().listener(request, response))
  }
}

function phasesOf(drain: Pick<Drain, 'phase'>): Pick<LastingTimes['app'], 'isLeaving' | 'isDraining'> {
  return { isLeaving: () => drain.phase !== 'serving', isDraining: () => drain.phase === 'draining' }
}

/** The models of a configuration, by their names for callers and at upstreams. */
function modelsIn({ routes }: Config): readonly string[] {
  return routes.flatMap(({ pattern, deployments }) => [
    pattern,
    ...deployments.flatMap(({ model }) => model ?? []),
  ])
}

/** The metrics of the configuration in use at the moment. */
function metricsOf(
  current: () => Snapshot,
  { reload, shedding, ledgerReport, books, tracing }: Counted,
): Metrics {
  return createMetrics({
    deployments: () => current().gateway.deployments(),
    configuration: reload.report,
    shedding: shedding.read,
    ledger: ledgerReport,
    catalog: () => current().catalog(),
    budgets: () => books.tenants.standings(),
    shared: books.shared.report,
    traces: tracing?.counts ?? (() => noSpans),
  })
}

const noSpans: TraceCounts = { exported: 0, lost: {} }

type Counted = {
  readonly reload: Pick<Reload, 'report'>
  readonly shedding: Pick<Shedding, 'read'>
  readonly ledgerReport: (() => LedgerCounts) | undefined
  readonly books: Pick<Books, 'tenants' | 'shared'>
  readonly tracing: Pick<Tracing, 'counts'> | undefined
}

/**
 * Waits until the last calls have ended, within a turn of the event loop, and their rows have reached the sinks, a turn
 * later.
 */
async function lastRows(): Promise<void> {
  await setImmediate()
  await setImmediate()
}

type Kept = {
  readonly role: Role
  readonly books: Books
  readonly tracing: Tracing | undefined
  readonly current: () => Snapshot
  readonly live: Omit<Parameters<typeof adminFor>[4], 'calls'>
}

function createLasting(
  {
    log,
    callLog = createCallLog(log),
    version,
    sinks = [],
    role,
    books,
    tracing,
    live,
    current,
  }: GatewayEnvironment & Kept,
  clock: Clock,
  metrics: Metrics,
  state: Pick<
    LastingTimes['app'],
    'isLeaving' | 'isDraining' | 'configuration' | 'shedding' | 'connections' | 'brake' | 'ledger' | 'shared'
  >,
): LastingTimes {
  const { tenants, changes, ledger, journal, shared } = books
  const generations = createGenerations()
  const newId = createRequestIds(clock, (bytes) => void randomFillSync(bytes))
  const calls = createLiveCalls({ bus: shared.bus, clock, newId })
  const healthLog = createHealthLog(log)
  return {
    clock,
    log,
    onHealthEvent(event) {
      metrics.noteHealth(event)
      healthLog(event)
    },
    onHealthWord: shareHealth(books.shared, () => current().standings),
    steps: createStepLog(log),
    tokenizer: createTokenizer(),
    encoder: createEncoder(),
    commit: journal && (() => journal.durable()),
    tenants,
    shared: books.shared.isAlone ? undefined : books.shared,
    ...{ places: shared.places, drains: live.drains },
    ...{ readLists: role.readLists, startProbes: role.startProbes },
    console: createConsole(shared.cache, clock),
    sinks: [
      // A call's hold is settled in the same write that journals the call.
      tenants.sink,
      createJournal(callLog, generations, journal),
      calls.sink,
      metrics,
      createReasonWarnings(log),
      ...(tracing === undefined ? [] : [tracing]),
      ...sinks,
    ],
    app: role.surface({
      ...state,
      ...adminFor(
        tenants,
        changes,
        version,
        { reader: ledger?.reader, now: clock.epochMs },
        { ...live, calls },
      ),
      metrics,
      generations,
      responseStore: createResponseStore(books.responses),
      version,
      newId,
      startTrace: tracing?.start,
      startedEpochSeconds: Math.floor(clock.epochMs() / 1000),
    }),
  }
}
