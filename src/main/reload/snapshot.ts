import type { RequestListener } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { successorsIn } from '../../catalog/default-models.ts'
import { createKeptLists } from '../../catalog/kept-lists.ts'
import { createPriceBook, type PriceBook } from '../../catalog/price-book.ts'
import type { Config } from '../../config.ts'
import { createRecorder } from '../../core/account/recorder.ts'
import { abandonAnswer, createGateway, type Gateway } from '../../core/gateway.ts'
import type { Drains } from '../../core/health/drains.ts'
import type { HealthMessage } from '../../core/health/health-message.ts'
import { createHealthRegistry, type HealthRegistry } from '../../core/health/health-registry.ts'
import type { HealthEvent } from '../../core/health/health-watch.ts'
import { createRetryBudget } from '../../core/health/retry-budget.ts'
import type { SharedPlaces } from '../../core/health/shared-places.ts'
import type { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Clock, Deployment, Route, Sink, Upstream } from '../../core/model/ports.ts'
import type { Steps } from '../../core/model/steps.ts'
import { createPlanner } from '../../core/plan/planner.ts'
import { createRouter, type Router } from '../../core/plan/router.ts'
import { createStickiness } from '../../core/plan/stickiness.ts'
import { cachedGateway, type SharedWork } from '../../core/reuse/cached-gateway.ts'
import { createCoalescer } from '../../core/reuse/coalesce.ts'
import { createIdempotency, type Idempotency } from '../../core/reuse/idempotency.ts'
import { createResponseCache } from '../../core/reuse/response-cache.ts'
import { createSharedFlight } from '../../core/reuse/shared-flight.ts'
import { createSharedIdempotency } from '../../core/reuse/shared-idempotency.ts'
import { dialectsWith, relays } from '../../dialects/all.ts'
import { type AppParts, createApp } from '../../http/app.ts'
import { createBodyReader } from '../../http/call/body.ts'
import { createOpenCalls, type OpenCalls } from '../../http/call/open-calls.ts'
import { createHostCheck } from '../../http/middleware/known-hosts.ts'
import { type ExplainedRequest, explained } from '../../http/routes/explain.ts'
import type { Tenants } from '../../tenants/tenants.ts'
import type { Tokenizer } from '../../tokenizers/cl100k.ts'
import type { Encoder } from '../../tokenizers/encoder.ts'
import type { Shared } from '../shared.ts'
import { callersPolicyOf } from '../tenants/tenants.ts'
import { type CatalogReport, reportCatalog } from '../upstreams/catalog-report.ts'
import { createRoutes } from '../upstreams/deployments.ts'
import { createListedRoutes, type Listed } from '../upstreams/listed-routes.ts'
import { listAddress } from '../upstreams/price-key.ts'
import type { startProbes } from '../upstreams/probes.ts'
import type { KnownLists, ProviderLists, readProviderLists } from '../upstreams/provider-lists.ts'
import { createUpstreams, sharePlaces } from '../upstreams/upstreams.ts'
import { createWaker } from '../upstreams/waker.ts'

/** Everything that is built from one configuration. A request ends with the snapshot that it began with. */
export interface Snapshot extends AsyncDisposable {
  readonly config: Config
  readonly listener: RequestListener
  readonly gateway: Gateway
  readonly routes: readonly Route[]
  /** Explains where a request would go. */
  explain(request: ExplainedRequest): Promise<JsonObject>
  /** State that the snapshot of the next configuration can take over. */
  readonly standings: HealthRegistry
  readonly lists: ProviderLists | undefined
  /** The age of the known models and prices. */
  catalog(): CatalogReport
  readonly idempotency: Idempotency | undefined
  /** Closes every connection of a call after its answer. */
  hangUp(): void
  /** Ends every call with this Failure. */
  endCalls(failure: Failure): void
  /** Ends the calls of one key. */
  endCallsOf(key: string, failure: Failure): void
  /** Stops background work: probes and lists of models. */
  rest(): void
  /** Resolves once no call is running. */
  callsEnded(): Promise<void>
}

/** Resources that last as long as the process, independent of the configuration. */
export type LastingTimes = {
  readonly clock: Clock
  readonly log: Logger
  readonly onHealthEvent: (event: HealthEvent) => void
  readonly onHealthWord: (word: HealthMessage) => void
  /** Receives each step of a call. */
  readonly steps: Steps
  readonly tokenizer: Tokenizer
  readonly encoder: Encoder
  readonly sinks: readonly Sink[]
  /** Resolves once the records given to the sinks are safe. Undefined: nothing stores them. */
  readonly commit: (() => Promise<void>) | undefined
  readonly tenants: Tenants
  /** Shares answers with other processes. Undefined: there are none. */
  readonly shared: Pick<Shared, 'cache' | 'owner'> | undefined
  /** The concurrency of providers, where other processes use them too. */
  readonly places: SharedPlaces | undefined
  /** Deployments that an operator has drained. */
  readonly drains: Drains
  readonly readLists: typeof readProviderLists
  readonly startProbes: typeof startProbes
  readonly console: NonNullable<AppParts['console']>
  readonly app: Pick<AppParts, LastingAppPart>
}

type LastingAppPart =
  | 'adminRoutes'
  | 'configuration'
  | 'forward'
  | 'openApi'
  | 'brake'
  | 'connections'
  | 'generations'
  | 'isDraining'
  | 'isLeaving'
  | 'ledger'
  | 'metrics'
  | 'newId'
  | 'once'
  | 'responseStore'
  | 'shared'
  | 'shedding'
  | 'startTrace'
  | 'startedEpochSeconds'
  | 'version'

/** Creates a snapshot. It takes over state of the snapshot before that is still valid. */
export function createSnapshot(config: Config, lasting: LastingTimes, before?: Snapshot): Snapshot {
  const { clock, log, shared } = lasting
  const { limits, slowThresholdMs, strict, demo, breaker } = config
  const userAgent = `pandotate-gateway/${lasting.app.version}`
  const upstreams = createUpstreams(config, { clock, detokenizer: lasting.tokenizer, userAgent })
  if (lasting.places !== undefined) sharePlaces(upstreams, lasting.places)
  const book = createPriceBook(config.catalog.data, config.catalog.maxPriceAgeDays)
  const unchanged = unchangedProviders(config, before?.config)
  const making = { config, upstreams, book, clock, drains: lasting.drains }
  const routes = createRoutes(making)
  const others = config.routing.isDefault
    ? (routes.find(({ pattern }) => pattern === '*')?.deployments ?? [])
    : []
  const listed = createListedRoutes({ ...making, others })
  const deployments = [...routes.flatMap((route) => route.deployments), ...(listed?.deployments ?? [])]
  const known = before?.lists?.of(unchanged)
  const lists = listsFor({ config, lasting, book, upstreams, known, routes })
  const standings = standingsFor({ deployments, unchanged, breaker }, lasting, before?.standings)
  const plain = createPlainGateway({ config, lasting, standings, router: routerOf(config, routes, listed) })
  const gateway = cachedGateway(plain, {
    cache: config.cache.enabled ? createResponseCache(config.cache, clock, shared?.cache) : undefined,
    coalescer: config.coalesce ? createCoalescer<SharedWork>() : undefined,
    flight: shared && createSharedFlight({ ...shared, makingMs: makingMsOf(config) }),
    recorder: createRecorder([], clock, slowThresholdMs),
  })
  const openCalls = createOpenCalls()
  const idempotency = idempotencyFor(config, lasting, before)
  const catalog = () => reportCatalog({ config, lists, deployments, clock })
  const appParts: AppParts = {
    ...lasting.app,
    catalog,
    ...{ relays, gateway, openCalls, idempotency, limits, slowThresholdMs, strict, demo },
    cors: config.cors,
    console: config.console.enabled ? lasting.console : undefined,
    hosts: createHostCheck({ ...config, asksForKeys: lasting.tenants.asksForKeys }),
    router: createRouter(routes, undefined, listed),
    encoder: lasting.encoder,
    dialects: dialectsWith({ store: lasting.app.responseStore, clock }),
    gate: lasting.tenants,
    recorder: createRecorder(lasting.sinks, clock, slowThresholdMs, lasting.commit),
    readBody: createBodyReader(limits),
    counter: lasting.tokenizer,
    waker: createWaker(deployments, log),
  }
  const probes = config.probes.enabled
    ? lasting.startProbes({ ...config.probes, deployments, standings, clock, random: Math.random, log })
    : undefined
  // This comes last because it may be refused: until here, the state of the snapshot before is unchanged.
  lasting.tenants.configure(config.tenants, callersPolicyOf(config))
  const rest = () => {
    lists?.[Symbol.dispose]()
    probes?.[Symbol.dispose]()
  }
  return {
    explain: (request) => explained(request, appParts),
    ...{ config, listener: createApp(appParts).callback(), gateway, routes, standings, lists, idempotency },
    catalog,
    ...endings(openCalls, idempotency),
    rest,
    async [Symbol.asyncDispose]() {
      rest()
      await Promise.all(upstreams.values().map((upstream) => upstream.close()))
    },
  }
}

/** Ends the calls of a snapshot early. Some calls continue without their callers. */
function endings(
  openCalls: OpenCalls,
  idempotency: Idempotency | undefined,
): Pick<Snapshot, 'hangUp' | 'endCalls' | 'endCallsOf' | 'callsEnded'> {
  return {
    hangUp: openCalls.hangUp,
    endCalls(failure) {
      openCalls.end(failure)
      void idempotency?.close(failure)
    },
    endCallsOf(key, failure) {
      openCalls.endOf(key, failure)
      idempotency?.endOf(key, failure)
    },
    async callsEnded() {
      await openCalls.ended()
      await idempotency?.ended()
    },
  }
}

/** Deployments in routes whose provider does not list their model. */
function unlistedAt(provider: string, routes: readonly Route[]): readonly string[] {
  const here = routes.flatMap(({ deployments }) =>
    deployments.filter(({ upstream }) => upstream.name === provider),
  )
  const missing = here.filter(({ presence }) => presence !== undefined && presence.state !== 'listed')
  return [...new Set(missing.map(({ id }) => id))]
}

type ListsParts = {
  readonly config: Config
  readonly lasting: LastingTimes
  readonly book: PriceBook
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly known: KnownLists | undefined
  readonly routes: readonly Route[]
}

function listsFor({
  config,
  lasting,
  book,
  upstreams,
  known,
  routes,
}: ListsParts): ProviderLists | undefined {
  const { lists, everyMs } = config.catalog
  if (!lists) return undefined
  const kept = createKeptLists(config.dataDirectory)
  return lasting.readLists({
    ...{ upstreams: upstreams.values(), book, kept, known, everyMs, random: Math.random },
    addressOf: (name) => listAddress(config, name),
    unlisted: (name) => (config.routing.isDefault ? [] : unlistedAt(name, routes)),
    ...{ clock: lasting.clock, log: lasting.log },
  })
}

/** An idempotency key stays valid across a reload, unless its lifetime was changed. */
function idempotencyFor(
  config: Config,
  { clock, shared }: LastingTimes,
  before: Snapshot | undefined,
): Idempotency | undefined {
  const { enabled, ...settings } = config.idempotency
  if (!enabled) return undefined
  const isUnchanged = isDeepStrictEqual(config.idempotency, before?.config.idempotency)
  const known = isUnchanged ? before?.idempotency : undefined
  if (known !== undefined || shared === undefined) return known ?? createIdempotency(settings, clock)
  return createSharedIdempotency(settings, clock, { ...shared, makingMs: makingMsOf(config) })
}

/** The maximum time for making an answer, with a margin because the process that makes it may report late. */
function makingMsOf({ limits }: Config): number {
  return limits.deadlineMs + 60_000
}

/** The names of upstreams whose settings have not changed. */
function unchangedProviders(config: Config, before: Config | undefined): ReadonlySet<string> {
  const same = config.providers.filter((provider) =>
    before?.providers.some((other) => isDeepStrictEqual(other, provider)),
  )
  return new Set(same.map(({ name }) => name))
}

type StandingsOf = Pick<Config, 'breaker'> & {
  readonly deployments: readonly Deployment[]
  readonly unchanged: ReadonlySet<string>
}

/** A deployment's health stays valid if its model and its provider's settings have not changed. */
function standingsFor(
  { deployments, unchanged, breaker }: StandingsOf,
  { clock, onHealthEvent, onHealthWord }: LastingTimes,
  before: HealthRegistry | undefined,
): HealthRegistry {
  const ids = deployments.map(({ id }) => id)
  if (before === undefined)
    return createHealthRegistry(ids, clock, Math.random, {
      onEvent: onHealthEvent,
      onMessage: onHealthWord,
      breaker,
    })
  const kept = deployments.filter(({ upstream }) => unchanged.has(upstream.name))
  return before.renewed(ids, new Set(kept.map(({ id }) => id)), breaker)
}

function routerOf({ keys }: Config, routes: readonly Route[], listed: Listed | undefined): Router {
  return createRouter(routes, keys.length === 0, listed)
}

type PlainParts = {
  readonly config: Config
  readonly lasting: LastingTimes
  readonly standings: HealthRegistry
  readonly router: Router
}

/** The gateway without the layers that avoid upstream calls. */
function createPlainGateway({ config, lasting, standings, router }: PlainParts): Gateway {
  const { limits, stickiness, hedging } = config
  const { clock, tokenizer, drains, steps } = lasting
  const random = Math.random
  const planner = createPlanner({
    ...{ router, standings, drains },
    stickiness: stickiness ? createStickiness(clock) : undefined,
    attempts: limits.attempts,
    successors: { of: successorsIn(config.catalog.data), areTaken: config.routing.successors },
    clock,
    random,
  })
  const budget = (share: number, least: number) => createRetryBudget({ share, least }, clock)
  return createGateway({
    ...{ planner, standings, counter: tokenizer, detokenizer: tokenizer, clock, random, limits, steps },
    retryBudget: budget(limits.retryShare, 3),
    hedging: hedging.enabled ? { budget: budget(hedging.share, 1), discard: abandonAnswer } : undefined,
  })
}
