import type { RouteSettings } from './routing.ts'
import type { LogLevel } from './schema.ts'

/** The whole configuration, checked: plain data, with every default in its place. It holds secrets. */
export type Config = {
  readonly host: string
  readonly port: number
  readonly allowUnauthenticated: boolean
  /** The keys a caller must bear one of; none: every caller is served. Secret. */
  readonly keys: readonly string[]
  readonly logLevel: LogLevel
  readonly slowThresholdMs: number
  /** Refuse what OpenAI refuses, instead of what cannot be done. */
  readonly strict: boolean
  readonly limits: Limits
  readonly cache: CacheSettings
  /** Identical calls that are under way at once, and whose answer should be the same, are made once. */
  readonly coalesce: boolean
  /** Calls that begin alike go to the same deployment, where it charges less for input it has seen. */
  readonly stickiness: boolean
  /** Providers are asked for their own prices: at the start, and once a day. */
  readonly refreshPrices: boolean
  readonly providers: readonly ProviderSettings[]
  readonly routes: readonly RouteSettings[]
  /** Nothing was configured: the simulator answers whoever brings no key for Pandotate. */
  readonly demo: boolean
  /** The path of the file that was read. */
  readonly source: string | undefined
}

/** Bounds on what one call may ask for. */
export type Limits = {
  readonly bodyBytes: number
  readonly jsonDepth: number
  /** How long one call may take, with all its attempts. */
  readonly deadlineMs: number
  /** At all deployments together; left out, 3, or as many as the retries of one of them ask for. */
  readonly attempts?: number
  /** How many parts of one call run at once. */
  readonly fanOut: number
  /** Prompts times n. */
  readonly choices: number
}

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

/** A provider of the configuration; `settings` is what the schema of its type made of it. */
export type ProviderSettings = { readonly name: string; readonly type: string; readonly settings: unknown }
