import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { createGate } from './core/gate.ts'
import { createGateway } from './core/gateway.ts'
import type { Clock, Deployment, Route, Sink, Upstream } from './core/ports.ts'
import { unknownPrice } from './core/price.ts'
import { createRecorder } from './core/recorder.ts'
import { createRouter } from './core/router.ts'
import { dialects } from './dialects/all.ts'
import { createApp } from './http/app.ts'
import { createBodyReader } from './http/body.ts'
import { listen } from './http/server.ts'
import { providers } from './providers/all.ts'
import type { ProviderTools } from './providers/provider.ts'
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
  const router = createRouter(routesOf(config, upstreams), limits.attempts, config.keys.length === 0)
  const gateway = createGateway({ router, counter: tokenizer, clock, random: Math.random, limits })
  const metrics = createMetrics()
  const recorder = createRecorder([createLogSink(log), metrics, ...sinks], clock, slowThresholdMs)
  let draining = false
  const app = createApp({
    dialects,
    gateway,
    gate: createGate(config.keys),
    recorder,
    metrics,
    readBody: createBodyReader(limits),
    newId: () => `req_${randomUUID().replaceAll('-', '')}`,
    startedEpochSeconds: Math.floor(clock.epochMs() / 1000),
    slowThresholdMs,
    strict,
    demo,
    version,
    isDraining: () => draining,
  })
  const server = await listen(app.callback(), config.host, config.port)
  return {
    url: server.url,
    async stop(graceMs) {
      draining = true
      await server.close(graceMs)
      await Promise.all(upstreams.values().map((upstream) => upstream.close()))
    },
  }
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

function routesOf(config: Config, upstreams: ReadonlyMap<string, Upstream>): readonly Route[] {
  return config.routes.map(({ pattern, strategy, deployments }) => ({
    pattern,
    strategy,
    deployments: deployments.map((one): Deployment => {
      const upstream = upstreams.get(one.provider)
      if (upstream === undefined) throw new TypeError(`The configuration names no provider: ${one.provider}`)
      return {
        id: `${one.model ?? pattern}@${one.provider}`,
        upstream,
        upstreamModel: one.model,
        clocks: { ...upstream.clocks, ...one.clocks },
        retry: {
          retries: one.retries ?? upstream.retry.retries,
          delayMs: one.retryDelayMs ?? upstream.retry.delayMs,
        },
        weight: 1,
        price: unknownPrice,
        traits: {},
      }
    }),
  }))
}
