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
import { listen } from './http/server.ts'
import type { Ledger } from './ledger/ledger.ts'
import { adminFor } from './main/admin.ts'
import { openBooks } from './main/books.ts'
import { createDrain, type DrainTimes } from './main/drain.ts'
import { createGuards } from './main/guards.ts'
import { createLiveConfig } from './main/live-config.ts'
import { createReload, type Reload } from './main/reload.ts'
import type { LastingTimes, Snapshot } from './main/snapshot.ts'
import { createDebugLog } from './telemetry/debug-log.ts'
import { createGenerations } from './telemetry/generations.ts'
import { createHealthLog } from './telemetry/health-log.ts'
import { createJournal } from './telemetry/journal.ts'
import type { LedgerCounts } from './telemetry/ledger-metrics.ts'
import { createCallLog } from './telemetry/log.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'
import { createReasonWarnings } from './telemetry/unknown-reasons.ts'
import type { Changes } from './tenants/keys/changes.ts'
import type { Tenants } from './tenants/tenants.ts'
import { createTokenizer } from './tokenizers/cl100k.ts'
import { createEncoder } from './tokenizers/encoder.ts'

/** A gateway that serves. */
export interface RunningGateway {
  /** Where it listens, such as `http://127.0.0.1:8000`. */
  readonly url: string
  /** The models that callers may name, as far as they are known. */
  models(): readonly ListedModel[]
  /**
   * Takes the configuration that `read` gives, for every request from now on; those in flight finish on the one they
   * began with. Never throws: what cannot be taken leaves everything as it is, and the log says why.
   */
  reload(read: () => Config): void
  /**
   * Shows that it is not ready, refuses new calls after `delayMs`, ends what is in flight after `graceMs`, and releases
   * everything. What is left out is as configured. A second call gives what the first did.
   */
  stop(times?: Partial<DrainTimes>): Promise<void>
  /** Has `stop` wait no longer. */
  hurry(): void
}

export type GatewayEnvironment = {
  readonly log: Logger
  readonly version: string
  /** Beside the log and the metrics: who else gets each call's record. */
  readonly sinks?: readonly Sink[]
}

/** Makes a gateway of a configuration, and serves. Rejects when the address cannot be had, or the data directory. */
export async function startGateway(config: Config, environment: GatewayEnvironment): Promise<RunningGateway> {
  const { log } = environment
  await using opening = new AsyncDisposableStack()
  const clock: Clock = { now: () => performance.now(), epochMs: () => Date.now() }
  const { tenants, changes, ledger } = await openBooks(config, clock, log, opening)
  const drain = createDrain({
    hangUp: () => succession.hangUp(),
    end: (failure) => succession.end(failure),
  })
  const reload = createReload({
    first: config,
    current: () => succession.current.config,
    take(next) {
      succession.take(next)
      if (next.tls !== undefined) server.renew(next.tls)
      log.level = next.logLevel
    },
    clock,
    log,
  })
  const guards = createGuards(() => succession.current.config, clock)
  const pressure = watchPressure(clock)
  const shedding = createShedding({
    limits: () => succession.current.config.limits,
    pressure,
    random: Math.random,
  })
  const ledgerReport = ledger && (() => ledger.report())
  const metrics = metricsOf(() => succession.current, reload, shedding, ledgerReport)
  const live = { current: () => succession.current, drains: createDrains(), configuration: reload.report }
  const lasting = createLasting({ ...environment, tenants, changes, ledger, live }, clock, metrics, {
    isLeaving: () => drain.phase !== 'serving',
    isDraining: () => drain.phase === 'draining',
    configuration: reload.report,
    shedding,
    ...guards,
    ledger: ledgerReport,
  })
  const succession = createLiveConfig(config, lasting)
  const arrived = createBatch()
  const listener: RequestListener = (request, response) => {
    // Node then says `connection: close` by itself.
    if (drain.phase !== 'serving') response.shouldKeepAlive = false
    arrived(() => succession.current.listener(request, response))
  }
  await lasting.tokenizer.prepare()
  await lasting.encoder.prepare(modelsIn(config))
  const server = await listen(listener, config, {
    unparsed: (error, socket) => answerUnparsed(error, socket, lasting.app.newId),
    connections: guards.connections,
  })
  const stop = async (times: Partial<DrainTimes>) => {
    await drain.run(server, { ...succession.current.config.drain, ...times })
    await lastRows()
    await succession[Symbol.asyncDispose]()
    // Calls whose callers left, and that were still read for what they cost, end with their connections.
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

/** The models that a configuration names, as callers and as upstreams know them. */
function modelsIn({ routes }: Config): readonly string[] {
  return routes.flatMap(({ pattern, deployments }) => [
    pattern,
    ...deployments.flatMap(({ model }) => model ?? []),
  ])
}

/** What is shown of the configuration in use, whichever that is at the moment. */
function metricsOf(
  current: () => Snapshot,
  reload: Pick<Reload, 'report'>,
  shedding: Pick<Shedding, 'read'>,
  ledger: (() => LedgerCounts) | undefined,
): Metrics {
  const deployments = () => current().gateway.deployments()
  return createMetrics(deployments, reload.report, shedding.read, ledger, () => current().catalog())
}

/** The last calls end within a turn of the event loop, and their rows reach the sinks at the end of the next. */
async function lastRows(): Promise<void> {
  await setImmediate()
  await setImmediate()
}

type Kept = {
  readonly ledger: Ledger | undefined
  readonly tenants: Tenants
  readonly changes: Changes
  readonly live: Parameters<typeof adminFor>[4]
}

function createLasting(
  { log, version, sinks = [], ledger, tenants, changes, live }: GatewayEnvironment & Kept,
  clock: Clock,
  metrics: Metrics,
  state: Pick<
    LastingTimes['app'],
    'isLeaving' | 'isDraining' | 'configuration' | 'shedding' | 'connections' | 'brake' | 'ledger'
  >,
): LastingTimes {
  const generations = createGenerations()
  const newId = createRequestIds(clock, (bytes) => void randomFillSync(bytes))
  const healthLog = createHealthLog(log)
  return {
    clock,
    log,
    onHealthEvent(event) {
      metrics.noteHealth(event)
      healthLog(event)
    },
    tokenizer: createTokenizer(),
    encoder: createEncoder(),
    commit: ledger && (() => ledger.journal.durable()),
    tenants,
    drains: live.drains,
    sinks: [
      // What a call held is settled in the same write that journals the call.
      tenants.sink,
      createJournal(createCallLog(log), generations, ledger?.journal),
      metrics,
      createReasonWarnings(log),
      createDebugLog(log),
      ...sinks,
    ],
    app: {
      ...state,
      ...adminFor(tenants, changes, version, { reader: ledger?.reader, now: clock.epochMs }, live),
      metrics,
      generations,
      responseStore: createResponseStore(clock),
      version,
      newId,
      startedEpochSeconds: Math.floor(clock.epochMs() / 1000),
    },
  }
}
