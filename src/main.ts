import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Logger } from 'pino'
import { createPriceBook } from './catalog/price-book.ts'
import { shippedPrices } from './catalog/prices.ts'
import type { Config } from './config.ts'
import { createCoalescer } from './core/coalesce.ts'
import { createGate } from './core/gate.ts'
import { createGateway, type Gateway } from './core/gateway.ts'
import { createPlanner } from './core/planner.ts'
import type { Clock, Sink, TokenCounter, Upstream } from './core/ports.ts'
import { createRecorder } from './core/recorder.ts'
import { createResponseCache } from './core/response-cache.ts'
import { reuseAnswers, type SharedWork } from './core/reuse.ts'
import { createRouter } from './core/router.ts'
import { createStandings } from './core/standings.ts'
import { createStickiness } from './core/stickiness.ts'
import { dialects } from './dialects/all.ts'
import { createApp } from './http/app.ts'
import { createBodyReader } from './http/body.ts'
import { listen } from './http/server.ts'
import { createRoutes, type RoutesParts } from './main/deployments.ts'
import { refreshPrices } from './main/price-refresh.ts'
import { providers } from './providers/all.ts'
import type { ProviderTools } from './providers/provider.ts'
import { createGenerations } from './telemetry/generations.ts'
import { createLogSink } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { createTokenizer } from './tokenizers/cl100k.ts'

/** A gateway that serves. */
export interface RunningGateway {
  /** Where it listens, such as `http://127.0.0.1:8000`. */
  readonly url: string
  /** Refuses new calls, lets those in flight finish for `graceMs` at most, and releases everything. */
  stop(graceMs: number): Promise<void>
}

export type GatewayEnvironment = {
  readonly log: Logger
  readonly version: string
  /** Beside the log and the metrics: who else gets each call's record. */
  readonly sinks?: readonly Sink[]
}

/** Makes a gateway of a configuration, and serves. Rejects when the address cannot be had. */
export async function startGateway(config: Config, environment: GatewayEnvironment): Promise<RunningGateway> {
  const { log, version, sinks = [] } = environment
  const clock: Clock = { now: () => performance.now(), epochMs: () => Date.now() }
  const tokenizer = createTokenizer()
  const upstreams = createUpstreams(config, {
    clock,
    detokenizer: tokenizer,
    userAgent: `pandotate-gateway/${version}`,
  })
  const { limits, slowThresholdMs, strict, demo } = config
  const book = createPriceBook({ own: [], shipped: shippedPrices })
  const plain = createPlainGateway({ config, upstreams, book, clock, counter: tokenizer })
  const gateway = reuseAnswers(plain, {
    cache: config.cache.enabled ? createResponseCache(config.cache, clock) : undefined,
    coalescer: config.coalesce ? createCoalescer<SharedWork>() : undefined,
    recorder: createRecorder([], clock, slowThresholdMs),
  })
  const metrics = createMetrics(() => gateway.deployments())
  const generations = createGenerations()
  const recorder = createRecorder(
    [createLogSink(log), metrics, generations, ...sinks],
    clock,
    slowThresholdMs,
  )
  let draining = false
  const app = createApp({
    dialects,
    gateway,
    gate: createGate(config.keys),
    recorder,
    metrics,
    generations,
    readBody: createBodyReader(limits),
    newId: () => `req_${randomUUID().replaceAll('-', '')}`,
    startedEpochSeconds: Math.floor(clock.epochMs() / 1000),
    slowThresholdMs,
    strict,
    demo,
    version,
    isDraining: () => draining,
  })
  const refreshing = config.refreshPrices ? refreshPrices(upstreams.values(), book, clock, log) : undefined
  const server = await listen(app.callback(), config.host, config.port)
  return {
    url: server.url,
    async stop(graceMs) {
      draining = true
      await server.close(graceMs)
      // The rows of the last calls reach the sinks at the end of a turn of the event loop.
      await setImmediate()
      refreshing?.[Symbol.dispose]()
      await Promise.all(upstreams.values().map((upstream) => upstream.close()))
    },
  }
}

type PlainParts = RoutesParts & { readonly counter: TokenCounter }

/** The gateway without what spares calls. */
function createPlainGateway({ config, upstreams, book, clock, counter }: PlainParts): Gateway {
  const { limits } = config
  const random = Math.random
  const routes = createRoutes({ config, upstreams, book, clock })
  const ids = routes.flatMap(({ deployments }) => deployments.map(({ id }) => id))
  const standings = createStandings(ids, clock, random)
  const planner = createPlanner({
    router: createRouter(routes, config.keys.length === 0),
    standings,
    stickiness: config.stickiness ? createStickiness(clock) : undefined,
    attempts: limits.attempts,
    clock,
    random,
  })
  return createGateway({ planner, standings, counter, clock, random, limits })
}

function createUpstreams(config: Config, tools: ProviderTools): ReadonlyMap<string, Upstream> {
  return new Map(
    config.providers.map(({ name, type, settings }) => {
      const provider = providers.find((one) => one.type === type)
      if (provider === undefined) throw new TypeError(`The configuration names no known type: ${type}`)
      return [name, provider.create(name, settings, tools)]
    }),
  )
}
