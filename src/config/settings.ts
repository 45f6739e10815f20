import type { AdminKey } from '../core/authenticate.ts'
import type { BreakerSettings } from '../core/health/breaker.ts'
import type { ConventionName, SamplerName } from '../core/model/trace.ts'
import type { TenantSettings } from '../tenants/settings.ts'
import type { Origins } from './report/origins.ts'
import type { LogLevel } from './schema.ts'
import type { CatalogSettings } from './sections/catalog.ts'
import type { RouteSettings } from './sections/routing.ts'

/** The whole configuration, checked: plain data, with every default in its place. It holds secrets. */
export type Config = {
  readonly host: string
  readonly port: number
  readonly allowUnauthenticated: boolean
  /** Beside this machine's own names: what a request's Host may be while no key is asked for. */
  readonly allowedHosts: readonly string[]
  /** How many proxies stand in front, or the addresses of those whose word is taken for who calls. */
  readonly trustProxy: number | readonly string[]
  /** How many processes answer calls; `auto`: as many as there are processors. */
  readonly workers: number | 'auto'
  /** Absent: plain HTTP. */
  readonly tls?: TlsPair
  /** The secrets of all keys, for calls and for managing; none: every caller is served. Secret. */
  readonly keys: readonly string[]
  /** Those of who manages the gateway, each with its role. Secret. */
  readonly adminKeys: readonly AdminKey[]
  /** Keys with what each allows, teams, budgets and limits. */
  readonly tenants: TenantSettings
  /** A reload may widen what a named key may do. */
  readonly acceptWider: boolean
  readonly cors: CorsSettings
  readonly logLevel: LogLevel
  /** Absent: lines for people at a terminal, JSON elsewhere. */
  readonly logFormat?: 'json' | 'pretty'
  readonly slowThresholdMs: number
  /** Refuse what OpenAI refuses, instead of what cannot be done. */
  readonly strict: boolean
  /** Whether an answer calls its model as its caller did, or as the upstream does, where those differ. */
  readonly answerModel: 'requested' | 'upstream'
  readonly limits: Limits
  readonly cache: CacheSettings
  readonly drain: DrainSettings
  /** Identical calls that are under way at once, and whose answer should be the same, are made once. */
  readonly coalesce: boolean
  readonly idempotency: IdempotencySettings
  readonly responses: ResponsesSettings
  /** Calls that begin alike go to the same deployment, where it charges less for input it has seen. */
  readonly stickiness: boolean
  readonly catalog: CatalogSettings
  /** Where the gateway keeps what is to outlast it. */
  readonly dataDirectory: string
  /** It was set: it must be had. Otherwise the gateway serves without it, where another process has it. */
  readonly isDataDirectoryGiven: boolean
  readonly ledger: LedgerSettings
  /** The page for operators at /console. */
  readonly console: { readonly enabled: boolean }
  readonly shared: SharedSettings
  readonly hedging: HedgingSettings
  readonly breaker: BreakerSettings
  readonly probes: ProbeSettings
  readonly tracing: TracingSettings
  readonly providers: readonly ProviderSettings[]
  readonly routes: readonly RouteSettings[]
  readonly routing: RoutingSettings
  /** Nothing was configured: the simulator answers callers that bring no key for Pandotate. */
  readonly demo: boolean
  /** What the file says, be it the default or not: its sections, and the settings of each, such as `limits.fanOut`. */
  readonly stated: readonly string[]
  /** What was taken as it stands, and is likely not what was meant: a sentence each. */
  readonly warnings?: readonly string[]
  /** The path of the file that was read. */
  readonly source: string | undefined
  /** Where each setting comes from. Absent: it was made by a program. */
  readonly origins?: Origins
}

/** A certificate with those that vouch for it, and its key, both as PEM. Secret. */
export type TlsPair = { readonly cert: string; readonly key: string }

/** Where calls may go beside the routes. */
export type RoutingSettings = {
  /** The routes are the catalogue's, not the operator's: a deployment that is gone is never tried first. */
  readonly isDefault: boolean
  /** A model that a provider lists, asked for by its full name, goes there. */
  readonly listed: boolean
  /** A name without a living place goes to what the catalogue names in its place. */
  readonly successors: boolean
}

/** Bounds on what one call may ask for. */
export type Limits = {
  readonly bodyBytes: number
  readonly jsonDepth: number
  /** Keys, objects and arrays of a body, together. */
  readonly jsonNodes: number
  /** How long one call may take, with all its attempts. */
  readonly deadlineMs: number
  /** At all deployments together; left out, 3, or as many as the retries of one of them ask for. */
  readonly attempts?: number
  /** How many parts of one call run at once. */
  readonly fanOut: number
  /** Prompts times n. */
  readonly choices: number
  /** A stream that breaks off goes on at another deployment, where one can take it up. */
  readonly continueStreams: boolean
  /** Of the calls at an upstream, the part that may be asked there again; three a minute may in any case. */
  readonly retryShare: number
  /** Of the process: calls under way at once, and the bytes of their bodies. Past them calls are turned away. */
  readonly inFlight: number
  readonly inFlightBytes: number
  /** Connections at once, in all, and of one address those whose callers have not been let in yet. */
  readonly connections: number
  readonly connectionsPerAddress: number
  /** So are calls while the event loop is later than this, on average over a second, or the heap fuller. */
  readonly loopDelayMs: number
  readonly heapShare: number
  /** How long a caller may take nothing of an answer. */
  readonly writeStallMs: number
  /** After so much silence a stream gets a comment; 0: never. */
  readonly keepaliveMs: number
  /** After so much, an event of its dialect that says nothing; 0: never. */
  readonly heartbeatMs: number
}

/** Where a stream takes longer to begin than nearly all before it, another is begun elsewhere. */
export type HedgingSettings = {
  readonly enabled: boolean
  /** The part of the calls that may have a second attempt. */
  readonly share: number
}

/** How long the gateway takes to stop, both counted from the signal. */
export type DrainSettings = {
  /** How long it goes on serving, though not ready. */
  readonly delayMs: number
  /** How long calls may take to finish. */
  readonly graceMs: number
}

/** The origins whose pages may call the gateway from a browser; `*`: any. */
export type CorsSettings = { readonly origins: readonly string[] }

/** Answers that are kept, to be given again to the same question. */
export type CacheSettings = {
  readonly enabled: boolean
  /** From when an answer was kept, however often it was used. */
  readonly ttlMs: number
  readonly maxEntries: number
  readonly maxBytes: number
  /** False: only the answers to calls whose answer should be the same every time. */
  readonly everyCall: boolean
}

/** Spans of calls, sent to a collector of OpenTelemetry's. */
export type TracingSettings = {
  readonly enabled: boolean
  /** Where they are posted; absent: there are none. */
  readonly endpoint?: string
  /** What is sent with them. Secret. */
  readonly headers: Readonly<Record<string, string>>
  readonly protocol: 'http/protobuf'
  readonly timeoutMs: number
  readonly compression: 'none' | 'gzip'
  /** Absent: that of `resource`, or the gateway's own. */
  readonly serviceName?: string
  /** Attributes of the whole process. */
  readonly resource: Readonly<Record<string, string>>
  readonly sampler: SamplerName
  readonly ratio: number
  /** Whether upstreams get the place of each attempt in its trace. */
  readonly propagate: boolean
  readonly conventions: ConventionName
  readonly batch: {
    readonly spans: number
    /** How many may wait; others are lost. */
    readonly queueSpans: number
    readonly delayMs: number
    readonly timeoutMs: number
  }
}

/** Answers that are kept for requests that are sent again under their Idempotency-Key. */
export type IdempotencySettings = {
  readonly enabled: boolean
  /** From the end of an answer. */
  readonly ttlMs: number
  readonly maxEntries: number
  readonly maxBytes: number
}

/** Responses that are kept for callers who come back to them. */
export type ResponsesSettings = {
  /** With the ledger, where there is one, or until the process ends. */
  readonly keep: 'store' | 'memory'
  /** Since it was last used. */
  readonly ttlMs: number
  readonly maxEntries: number
  readonly maxBytes: number
}

/** How the record of each call is kept. */
export type LedgerSettings = {
  readonly enabled: boolean
  /** What an answer's end waits for: the kernel has its record, or the disk. */
  readonly durability: 'process' | 'disk'
  /** How much may wait for the store before the records of calls are left out. */
  readonly spoolBytes: number
  readonly keepCallsDays: number
  readonly keepRollupsDays: number
  /** A Postgres database; absent: one in the data directory. Secret. */
  readonly databaseUrl?: string
}

/** What the nodes of one gateway share, and what holds while it is away. */
export type SharedSettings = {
  readonly onLoss: 'local' | 'closed' | 'open'
  /** Of a limit, how much may be out on lease to all nodes together. */
  readonly leasePercent: number
  /** A node that is silent for so long is gone. */
  readonly goneAfterMs: number
  readonly redis: RedisPlace
}

export type RedisPlace = {
  /** Several with commas between them; absent: nothing is shared. Secret. */
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

/** Asking providers, again and again, how they are doing. */
export type ProbeSettings = {
  readonly enabled: boolean
  readonly intervalMs: number
  /** How long one may take to tell. */
  readonly timeoutMs: number
}

/** A provider of the configuration; `settings` is what the schema of its type made of it. */
export type ProviderSettings = { readonly name: string; readonly type: string; readonly settings: unknown }
