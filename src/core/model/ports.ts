import type { Call, Clocks, RawDelta, Relay, RelayReply, Retry } from './call.ts'
import type { CallSignal } from './call-signal.ts'
import type { Price, PriceOrigin } from './price.ts'
import type { CallRecord } from './record/record.ts'
import type { Places } from './shared/places.ts'
import type { Kind, StrategyName } from './terms.ts'

/** A configured provider: one place where calls can run. Implementations are in `providers/`. */
export interface Upstream {
  /** Its name in the configuration, as shown to callers and operators. */
  readonly name: string
  readonly clocks: Clocks
  readonly retry: Retry
  /** True: when the caller leaves, the answer is read to its end, so that its cost is known; else it is cancelled. */
  readonly drains?: boolean | undefined
  /** A stream is complete only with its terminator, whatever its chunks say. */
  readonly needsDone?: boolean | undefined
  /** The queue for its places; absent: concurrency is unlimited. */
  readonly queue?: Queue | undefined
  /** By kind: true if one request takes one prompt and gives one choice. The gateway then splits calls. */
  readonly oneChoice: Readonly<Record<Kind, boolean>>
  /** The kinds of calls it serves; calls of the other kind are converted. Absent: both. */
  readonly kinds?: readonly Kind[] | undefined
  /** OpenAI features that it lacks: emulated where possible, else refused before anything is sent. */
  readonly lacks?: readonly Lack[] | undefined
  /** How many stop strings it takes per request; the rest is applied here. Absent: any number. */
  readonly mostStops?: number | undefined
  /** It continues an assistant message, without repeating it, if a call has `continues`. */
  readonly takesPrefix?: boolean | undefined
  /** `reasoning` is kept beside `reasoning_content`, for callers that read it. */
  readonly keepsReasoning?: boolean | undefined
  /** It repeats the beginning that it continues: the gateway removes it. */
  readonly repeatsPrefix?: boolean | undefined
  /** It is Anthropic itself: Claude Code's billing line is forwarded. */
  readonly keepsBillingLine?: boolean | undefined
  /** Model names that are known without asking the upstream. */
  readonly knownModels: readonly string[]
  /**
   * Whether a call can be authorised here, with our key or with the caller's. If true without a credential, it is true
   * with any.
   */
  admits(credential: string | undefined): boolean
  /** The setting that gives it a key: `TOGETHER_API_KEY`. Absent: there is none. */
  readonly keySetting?: string | undefined
  /** The form of a caller's own key that may be used in place of ours: `pk_…`. Absent: it takes none. */
  readonly callerKey?: string | undefined
  /**
   * Sends the call and yields the answer in bursts, the deltas that arrived together. With or without streaming it may
   * yield the whole reply as one delta, or chunks. A promise stands for a single burst. Throws Failure; `unsupported`
   * and `invalid_request` are thrown before anything is sent. When `attempt.signal` aborts, the connection is closed at
   * once, and the result rejects with the signal's reason.
   */
  send(call: Call, attempt: Attempt): Sent
  /** Forwards a relay. Throws and aborts as `send` does; `unsupported` for a kind it lacks. Absent: it has none. */
  relay?(call: Relay, attempt: Attempt): Promise<RelayReply>
  /** Requests its health without running a model; absent if it has no endpoint for that. Rejects with a Failure. */
  health?(signal: AbortSignal): Promise<UpstreamHealth>
  /** True if a health request wakes a sleeping deployment, and keeps a running one up. Absent: false. */
  readonly healthWakes?: boolean
  /** Starts a sleeping deployment; resolves when the request was accepted. Absent if it cannot. */
  wake?(signal: AbortSignal): Promise<void>
  /** Requests its list of models; absent if it has none. */
  listModels?(signal: AbortSignal): Promise<readonly UpstreamModel[]>
  /** Requests the prices per second of its hardware; absent if it has no endpoint for that. */
  listHardware?(signal: AbortSignal): Promise<readonly UpstreamHardware[]>
  /** Closes the connections. */
  close(): Promise<void>
}

/**
 * A request feature that some upstreams lack; `custom_tools` are tools of the types `custom` and `allowed_tools`. The
 * test is whether the answer would differ without it: then an upstream that refuses or ignores it, and for which it
 * cannot be emulated, does not get the call. Fields that do not change the answer, such as `user`, `store` or a seed,
 * are dropped there and reported to the caller.
 */
export type Lack = (typeof lackNames)[number]

export const lackNames = ['echo', 'suffix', 'best_of', 'logprobs', 'logit_bias', 'custom_tools'] as const

/** What an upstream reports about itself; the rest is undefined. */
export type UpstreamHealth = {
  /** It can take a call now; false while it starts, sleeps or is unhealthy. */
  readonly isReady: boolean
  /** Calls that wait there for a worker. */
  readonly queued?: number | undefined
  /** Workers that are free, and workers that run a call. */
  readonly idleWorkers?: number | undefined
  readonly busyWorkers?: number | undefined
}

/** A model as an upstream lists it. */
export type UpstreamModel = {
  readonly id: string
  readonly contextTokens: number | undefined
  readonly price: Price
  /** Its abilities, as far as the list reports them. */
  readonly traits?: Traits | undefined
  /** A model of another kind: images, sound. */
  readonly isOther?: boolean | undefined
}

/** A machine as an upstream lists it: its names, and its price per second. */
export type UpstreamHardware = { readonly names: readonly string[]; readonly nanoUsdPerSecond: number }

/**
 * Whether a provider has a model. By its own list: `listed`; `unpriced`, listed but callable only through a dedicated
 * endpoint; or `unlisted`. Without a list: `retired` by the catalogue.
 */
export type Presence = {
  readonly state: 'listed' | 'unpriced' | 'unlisted' | 'retired'
  /** Since when it is gone, if known. */
  readonly sinceEpochMs: number | undefined
  /** The successor that the provider names, by its name there. */
  readonly successor: string | undefined
}

/** An answer in progress. */
export type Sent = AsyncIterable<readonly RawDelta[]> | Promise<readonly RawDelta[]>

/** How the upstream ended its answer: as one JSON value, or with its stream's terminator. */
export type Ending = 'value' | 'terminator'

/** One attempt of one call at one deployment, and notes on it. */
export type Attempt = {
  /** The call's id and the attempt's index in its record, `req_…-0`: sent upstream as `x-request-id`. */
  readonly id: string
  /** The model's name at this upstream. */
  readonly upstreamModel: string
  /** The time allowed to connect, if shorter than the upstream's own clock. */
  readonly connectMs?: number | undefined
  /** It needs a new connection: the previous attempt's reused connection was closed. */
  readonly isFresh?: boolean | undefined
  /** Trace headers for all of its requests, as alternating names and values. */
  readonly trace?: readonly string[] | undefined
  readonly signal: CallSignal
  /** Filled in by the provider as it proceeds. */
  readonly notes: AttemptNotes
}

export type AttemptNotes = {
  /** When the upstream's headers arrived, on the monotonic clock, in milliseconds. */
  headersAt: number | undefined
  upstreamStatus: number | undefined
  /** The upstream's own id for the request, for its support desk. */
  upstreamRequestId: string | undefined
  /** How long the upstream says it worked, in milliseconds: billed where time is billed. */
  billedMs: number | undefined
  /** Request fields that were dropped because this upstream lacks them and the answer's meaning does not change. */
  readonly dropped: string[]
  /** Absent: unknown so far. */
  ending?: Ending | undefined
  /** An unknown finish reason of its answer. */
  unknownReason?: string | undefined
  /** Receives the upstream's headers when they arrive; absent: they are not needed. */
  onHeaders?: ((status: number, header: (name: string) => string | undefined) => void) | undefined
  /** Nothing has been sent yet: it waits for a connection. Absent: unknown. */
  isUnsent?: boolean | undefined
  /** What was converted on the way: `messages to prompt (llama3)`. */
  readonly converted: string[]
}

/** One model at one upstream. */
export type Deployment = {
  /** `model@upstream`; unique within a configuration. */
  readonly id: string
  readonly upstream: Upstream
  /** The model's name there; undefined: the caller's spelling. */
  readonly upstreamModel: string | undefined
  /**
   * The model name in an answer to a call for `asked`, in place of the upstream's own; undefined: the upstream's own.
   * Absent: always that.
   */
  readonly answersAs?: (requested: string) => string | undefined
  readonly clocks: Clocks
  readonly retry: Retry
  /** Its weight in the `weighted` strategy; 0: no calls. */
  readonly weight: number
  readonly price: Price
  /** Absent if the price is unknown, or its source is. */
  readonly priceOrigin?: PriceOrigin | undefined
  /** Absent if it is unknown whether the provider has the model. */
  readonly presence?: Presence | undefined
  /** It serves the requested model under this name, as a successor. */
  readonly successor?: string | undefined
  /** The provider no longer has the model, and only a default route of the catalogue leads there: it gets no calls. */
  readonly gone?: Presence | undefined
  /** Drained by an operator: it gets no new calls. Absent: in use. */
  readonly isDrained?: boolean
  readonly traits: Traits
  /** Tokens that are not generated because the call is cancelled are not billed. Absent: unknown. */
  readonly stopsOnAbort?: boolean | undefined
  /** The deployment for one model, if it uses the caller's spelling. Absent: there is only one model. */
  readonly forModel?: (model: string) => Deployment
  /** The model that `forModel` made it for: its price, traits and health depend on it. */
  readonly madeFor?: string
}

/** What a deployment can do. Unknown traits are undefined, and exclude nothing. */
export type Traits = {
  /** Prompt and answer together. */
  readonly contextTokens?: number | undefined
  readonly maxOutputTokens?: number | undefined
  /** False: a larger requested bound is sent unchanged. */
  readonly lowersMaxTokens?: boolean | undefined
  /** Whether Claude Code's billing line is forwarded. Undefined: only to Anthropic. */
  readonly keepsBillingLine?: boolean | undefined
  readonly tools?: boolean | undefined
  /** `response_format` with a schema. */
  readonly jsonSchema?: boolean | undefined
  /** Images in messages. */
  readonly vision?: boolean | undefined
  readonly logprobs?: boolean | undefined
  /** How many texts one embeddings request may have; larger calls are split. */
  readonly inputsPerRequest?: number | undefined
}

/** Where a model may run: the deployments of one name or pattern, and how to choose among them. */
export type Route = {
  /** A model's name; `*` matches any characters. */
  readonly pattern: string
  readonly strategy: StrategyName
  readonly deployments: readonly Deployment[]
  /** The baseline for savings; undefined: the first deployment. */
  readonly baseline?: Deployment | undefined
}

/** Receives each call's record once, when the call is over. Must not throw or block. */
export interface Sink {
  write(record: CallRecord): void
}

/** Counts tokens that an upstream did not report. Always an estimate: the upstream's tokenizer may differ. */
export interface TokenCounter {
  count(text: string): Promise<number>
}

/** Encodes text into the exact tokens of a model. */
export interface TokenEncoder {
  /**
   * The tokens, if all of these models have the same. Undefined if they differ, if a vocabulary is not available, and
   * for text that would take too long. Markers such as `<|endoftext|>` count as plain text.
   */
  encode(models: Iterable<string>, text: string): Promise<readonly number[] | undefined>
}

/** Decodes token ids to text, for upstreams that take only text. */
export interface Detokenizer {
  decode(tokens: readonly number[]): Promise<string>
}

/** Monotonic milliseconds for durations, epoch milliseconds for dates. */
export type Clock = { readonly now: () => number; readonly epochMs: () => number }

/** A number in [0, 1). */
export type Random = () => number

/**
 * The places of one upstream, as many as calls may run there at once, and the calls that wait for one, in order. A
 * place is returned once, by `leave`.
 */
export interface Queue {
  /** Takes a place if one is free. */
  enter(): boolean
  /**
   * Resolves with a place, for this principal. Rejects with `busy` at once if too many calls wait already, or when no
   * place became free within the queue's time and `leftMs`. Rejects with the signal's reason as soon as it aborts.
   */
  wait(signal: CallSignal, leftMs: number, principal?: string): Promise<void>
  /** Returns a place. It goes to the longest-waiting caller of the next principal. */
  leave(): void
  /** How many places are taken, and how many calls wait. */
  read(): { readonly running: number; readonly waiting: number }
  /**
   * Takes its places from a pool that several processes share; `of` returns the pool for a limit. To be called before
   * the first call.
   */
  share(of: (limit: number) => Places): void
}
