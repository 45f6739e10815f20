import type { AdminKey } from '../core/authenticate.ts'
import type { BreakerSettings } from '../core/health/breaker.ts'
import type { ConventionName, SamplerName } from '../core/model/trace.ts'
import type { TenantSettings } from '../tenants/settings.ts'
import type { Origins } from './report/origins.ts'
import type { LogLevel } from './schema.ts'
import type { CatalogSettings } from './sections/catalog.ts'
import type { RouteSettings } from './sections/routing.ts'

/** The whole validated configuration: plain data, with all defaults. It contains secrets. */
export type Config = {
  readonly host: string
  readonly port: number
  readonly allowUnauthenticated: boolean
  /** Allowed Host names besides this machine's own, while no key is required. */
  readonly allowedHosts: readonly string[]
  /** The number of proxies in front, or the addresses of proxies that are trusted to report callers' addresses. */
  readonly trustProxy: number | readonly string[]
  /** How many processes answer calls; `auto`: one per processor. */
  readonly workers: number | 'auto'
  /** Absent: plain HTTP. */
  readonly tls?: TlsPair
  /** The secrets of all keys; none: every caller is served. Secret. */
  readonly keys: readonly string[]
  /** The management keys, each with its role. Secret. */
  readonly adminKeys: readonly AdminKey[]
  /** Keys with their limits, teams, and budgets. */
  readonly tenants: TenantSettings
  /** A reload may widen what a named key is allowed. */
  readonly acceptWider: boolean
  readonly cors: CorsSettings
  readonly logLevel: LogLevel
  /** Absent: lines for people at a terminal, JSON elsewhere. */
  readonly logFormat?: 'json' | 'pretty'
  readonly slowThresholdMs: number
  /** True: refuse everything that OpenAI refuses, not only what the gateway cannot do. */
  readonly strict: boolean
  /** Whether answers name the model as requested or as the upstream does, if those differ. */
  readonly answerModel: 'requested' | 'upstream'
  readonly limits: Limits
  readonly cache: CacheSettings
  readonly drain: DrainSettings
  /** Identical deterministic calls in flight share one upstream call. */
  readonly coalesce: boolean
  readonly idempotency: IdempotencySettings
  readonly responses: ResponsesSettings
  /** Calls with the same prefix go to the same deployment, if it charges less for cached input. */
  readonly stickiness: boolean
  readonly catalog: CatalogSettings
  /** The directory for the gateway's data. */
  readonly dataDirectory: string
  /**
   * True: the directory was configured, so it is required. Otherwise the gateway serves without it if another process
   * uses it.
   */
  readonly isDataDirectoryGiven: boolean
  readonly ledger: LedgerSettings
  /** The console for operators at /console. */
  readonly console: { readonly enabled: boolean }
  readonly shared: SharedSettings
  readonly hedging: HedgingSettings
  readonly breaker: BreakerSettings
  readonly probes: ProbeSettings
  readonly tracing: TracingSettings
  readonly providers: readonly ProviderSettings[]
  readonly routes: readonly RouteSettings[]
  readonly routing: RoutingSettings
  /** Nothing was configured: the simulator answers callers without a Pandotate key. */
  readonly demo: boolean
  /** The file's settings including defaults: sections and their settings, such as `limits.fanOut`. */
  readonly stated: readonly string[]
  /** Warnings about likely mistakes, one sentence each. */
  readonly warnings?: readonly string[]
  /** The path of the file that was read. */
  readonly source: string | undefined
  /** Where each setting comes from. Absent: a program made it. */
  readonly origins?: Origins
}

/** A certificate with its chain, and its key, both as PEM. Secret. */
export type TlsPair = { readonly cert: string; readonly key: string }

/** Where calls may go in addition to the routes. */
export type RoutingSettings = {
  /** The routes are the catalogue's: a deployment that is gone is never tried first. */
  readonly isDefault: boolean
  /** A model in a provider's list is routed there by its full name. */
  readonly listed: boolean
  /** A name whose model is gone is routed to its successor in the catalogue. */
  readonly successors: boolean
}

/** Limits of a single call. */
export type Limits = {
  readonly bodyBytes: number
  readonly jsonDepth: number
  /** Keys, objects and arrays of a body, together. */
  readonly jsonNodes: number
  /** The deadline of a call with all its attempts. */
  readonly deadlineMs: number
  /**
   * The maximum number of attempts over all deployments. Absent: 3, or the number that the retries of one deployment
   * need.
   */
  readonly attempts?: number
  /** The maximum number of parts of a call that run concurrently. */
  readonly fanOut: number
  /** The maximum of prompts times n. */
  readonly choices: number
  /** A stream that breaks off is continued at another deployment that can do so. */
  readonly continueStreams: boolean
  /** The share of an upstream's calls that may be retried there; three a minute are always allowed. */
  readonly retryShare: number
  /** Limits per process: calls in flight, and the bytes of their bodies. Further calls are refused. */
  readonly inFlight: number
  readonly inFlightBytes: number
  /** Connections in all, and from one address before authentication. */
  readonly connections: number
  readonly connectionsPerAddress: number
  /** Calls are refused while the average delay of the event loop over a second, or the heap, exceeds this. */
  readonly loopDelayMs: number
  readonly heapShare: number
  /** The maximum time in which a caller reads nothing of an answer. */
  readonly writeStallMs: number
  /** The interval of comments in a silent stream; 0: none. */
  readonly keepaliveMs: number
  /** The interval of empty events in a stream without events; 0: none. */
  readonly heartbeatMs: number
}

/** If a stream starts later than nearly all before it, a second attempt starts elsewhere. */
export type HedgingSettings = {
  readonly enabled: boolean
  /** The share of calls that may have a second attempt. */
  readonly share: number
}

/** The phases of stopping, counted from the signal. */
export type DrainSettings = {
  /** The time for which it still serves, but reports that it is not ready. */
  readonly delayMs: number
  /** The time in which calls may finish. */
  readonly graceMs: number
}

/** The origins whose pages may call the gateway; `*`: any. */
export type CorsSettings = { readonly origins: readonly string[] }

/** Answers that are cached for identical requests. */
export type CacheSettings = {
  readonly enabled: boolean
  /** Since the answer was cached, regardless of use. */
  readonly ttlMs: number
  readonly maxEntries: number
  readonly maxBytes: number
  /** False: only answers to deterministic calls. */
  readonly everyCall: boolean
}

/** Spans of calls, sent to an OpenTelemetry collector. */
export type TracingSettings = {
  readonly enabled: boolean
  /** The address they are posted to; absent: tracing is off. */
  readonly endpoint?: string
  /** The headers sent with them. Secret. */
  readonly headers: Readonly<Record<string, string>>
  readonly protocol: 'http/protobuf'
  readonly timeoutMs: number
  readonly compression: 'none' | 'gzip'
  /** Absent: that of `resource`, or the gateway's own. */
  readonly serviceName?: string
  /** Attributes of the process. */
  readonly resource: Readonly<Record<string, string>>
  readonly sampler: SamplerName
  readonly ratio: number
  /** Whether upstreams get the attempt's trace context. */
  readonly propagate: boolean
  readonly conventions: ConventionName
  readonly batch: {
    readonly spans: number
    /** The size of the queue; further spans are lost. */
    readonly queueSpans: number
    readonly delayMs: number
    readonly timeoutMs: number
  }
}

/** Answers that are kept for requests with the same Idempotency-Key. */
export type IdempotencySettings = {
  readonly enabled: boolean
  /** From the end of an answer. */
  readonly ttlMs: number
  readonly maxEntries: number
  readonly maxBytes: number
}

/** Responses that are stored for later requests. */
export type ResponsesSettings = {
  /** In the ledger's store, if there is one, or in memory. */
  readonly keep: 'store' | 'memory'
  /** Since it was last used. */
  readonly ttlMs: number
  readonly maxEntries: number
  readonly maxBytes: number
}

/** The records of calls. */
export type LedgerSettings = {
  readonly enabled: boolean
  /** What the end of an answer waits for: its record was written by the process, or is on the disk. */
  readonly durability: 'process' | 'disk'
  /** The size of the journal above which records of calls are dropped. */
  readonly spoolBytes: number
  readonly keepCallsDays: number
  readonly keepRollupsDays: number
  /** A Postgres database; absent: one in the data directory. Secret. */
  readonly databaseUrl?: string
}

/** The state that the nodes of one gateway share, and the behaviour while its engine is unavailable. */
export type SharedSettings = {
  readonly onLoss: 'local' | 'closed' | 'open'
  /** The share of a limit that may be leased to all nodes together. */
  readonly leasePercent: number
  /** A node that is silent for this long counts as dead. */
  readonly goneAfterMs: number
  readonly redis: RedisPlace
}

export type RedisPlace = {
  /** Several, separated by commas; absent: nothing is shared. Secret. */
  readonly url?: string
  readonly mode: 'single' | 'sentinel' | 'cluster'
  readonly sentinelName: string
  readonly username?: string
  /** Secret. */
  readonly password?: string
  readonly ca?: string
  readonly prefix: string
  readonly timeoutMs: number
}

/** Regular health requests to providers. */
export type ProbeSettings = {
  readonly enabled: boolean
  readonly intervalMs: number
  /** The timeout of one request. */
  readonly timeoutMs: number
}

/** A configured provider; `settings` is the output of its type's schema. */
export type ProviderSettings = { readonly name: string; readonly type: string; readonly settings: unknown }
