import type { Call, Clocks, RawDelta, Relay, RelayReply, Retry } from './call.ts'
import type { CallSignal } from './call-signal.ts'
import type { Price, PriceOrigin } from './price.ts'
import type { CallRecord } from './record/record.ts'
import type { Kind, StrategyName } from './terms.ts'

/**
 * A provider that has been configured: one place where calls can run. Implementations live in `providers/`.
 */
export interface Upstream {
  /** The name it has in the configuration, as shown to callers and operators. */
  readonly name: string
  readonly clocks: Clocks
  readonly retry: Retry
  /** When its caller leaves, a call is read to its end, so that what it cost is known; else it is cancelled. */
  readonly drains?: boolean | undefined
  /** A stream is whole there only with its terminator, whatever its chunks say. */
  readonly needsDone?: boolean | undefined
  /** Where calls wait while it runs as many as it may; absent where it may run any number. */
  readonly queue?: Queue | undefined
  /** By kind: true when one request takes one prompt and gives one choice; more are fanned out by the gateway. */
  readonly oneChoice: Readonly<Record<Kind, boolean>>
  /** The kinds of calls it has; one of the other kind is turned into one of these, and back. Absent: both. */
  readonly kinds?: readonly Kind[] | undefined
  /** What of OpenAI's it lacks: emulated where possible, else refused before anything is sent. */
  readonly lacks?: readonly Lack[] | undefined
  /** How many stop strings it takes in one request; at the others its answer is cut here. Absent: any number. */
  readonly mostStops?: number | undefined
  /** It goes on from the middle of an answer, and says no word of it again, where a call `continues` one. */
  readonly takesPrefix?: boolean | undefined
  /** Its callers know thoughts as `reasoning`: that stays beside `reasoning_content`. */
  readonly keepsReasoning?: boolean | undefined
  /** Where it goes on with an answer, it says the beginning of that again: here it is taken off. */
  readonly repeatsPrefix?: boolean | undefined
  /** It is Anthropic's own: a line of Claude Code's for its accounts is passed on. */
  readonly keepsBillingLine?: boolean | undefined
  /** Names a caller may ask for, as far as they are known without asking upstream. */
  readonly knownModels: readonly string[]
  /**
   * Whether this call can be authorised here: with a key of our own, or with the caller's. Where it can without one of
   * the caller's, it always can.
   */
  admits(credential: string | undefined): boolean
  /** What an operator sets to give it a key: `TOGETHER_API_KEY`. Absent where there is no such thing. */
  readonly keySetting?: string | undefined
  /** How a key looks that a caller may bring for it in place of ours: `pk_…`. Absent: it takes none. */
  readonly callerKey?: string | undefined
  /**
   * Sends the call and yields the answer in bursts: the deltas that arrived together. A call that does not
   * stream yields either the whole reply as one delta, or chunks; a call that streams likewise. An answer of one
   * burst may be a promise of it. Throws Failure; `unsupported` and `invalid_request` are thrown before anything
   * is sent. When `attempt.signal` aborts, the connection is given up at once, and what was given rejects with
   * the signal's reason.
   */
  send(call: Call, attempt: Attempt): Sent
  /**
   * Passes a relay on. Throws and aborts as `send` does; `unsupported` where it has nothing of that kind. Absent
   * where there are none at all.
   */
  relay?(call: Relay, attempt: Attempt): Promise<RelayReply>
  /** Asks how it is doing, without running a model; absent where it cannot be asked. Rejects with a Failure. */
  health?(signal: AbortSignal): Promise<UpstreamHealth>
  /** Asking for its health has a sleeping one start, and one that is up stay so. Absent: it has not. */
  readonly healthWakes?: boolean
  /** Has a sleeping one start; resolves once it has been told to. Absent where there is no such thing. */
  wake?(signal: AbortSignal): Promise<void>
  /** Asks which models it has, with what it tells of them; absent where it cannot be asked. */
  listModels?(signal: AbortSignal): Promise<readonly UpstreamModel[]>
  /** Asks what a second on its hardware costs; absent where it cannot be asked. */
  listHardware?(signal: AbortSignal): Promise<readonly UpstreamHardware[]>
  /** Releases the connections. */
  close(): Promise<void>
}

/**
 * A request field that not every upstream has; `custom_tools` are those of the types `custom` and `allowed_tools`. What
 * decides is whether the answer would be another without it: such a field is one of these, and an upstream that refuses
 * or ignores it, and that cannot be emulated, does not get the call. What leaves the answer as good as it was, such
 * as `user`, `store` or a seed, is dropped there, and named to the caller.
 */
export type Lack = (typeof lackNames)[number]

export const lackNames = ['echo', 'suffix', 'best_of', 'logprobs', 'logit_bias', 'custom_tools'] as const

/** What an upstream says of itself. What it does not say is undefined. */
export type UpstreamHealth = {
  /** It can take a call now; false while it starts, sleeps or is sick. */
  readonly isReady: boolean
  /** Calls that wait there for a worker. */
  readonly queued?: number | undefined
  /** Workers that could take a call now, and workers that run one. */
  readonly idleWorkers?: number | undefined
  readonly busyWorkers?: number | undefined
}

/** A model as an upstream lists it. */
export type UpstreamModel = {
  readonly id: string
  readonly contextTokens: number | undefined
  readonly price: Price
  /** What else it can do, as far as the list tells. */
  readonly traits?: Traits | undefined
  /** Calls of this gateway are for something else: images, sound. */
  readonly isOther?: boolean | undefined
}

/** A machine as an upstream lists it: the names it goes by there, and what a second on it costs. */
export type UpstreamHardware = { readonly names: readonly string[]; readonly nanoUsdPerSecond: number }

/**
 * Whether a provider has a model. By its own list: `listed`; `unpriced`, which is listed but not served
 * without an endpoint of their own; or `unlisted`. Where there is no list, `retired` by the catalogue.
 */
export type Presence = {
  readonly state: 'listed' | 'unpriced' | 'unlisted' | 'retired'
  /** Since when it is gone, where that is known. */
  readonly sinceEpochMs: number | undefined
  /** What the provider names in its place, by its name there. */
  readonly successor: string | undefined
}

/** An answer on its way. */
export type Sent = AsyncIterable<readonly RawDelta[]> | Promise<readonly RawDelta[]>

/** How an upstream says that nothing more comes: its answer is one JSON value, or its stream has had its terminator. */
export type Ending = 'value' | 'terminator'

/** One try of one call at one deployment, and what is to be remembered of it. */
export type Attempt = {
  /** The call's id and the attempt's place in its record, `req_…-0`: sent upstream as `x-request-id`. */
  readonly id: string
  /** The model's name as this upstream knows it. */
  readonly upstreamModel: string
  /** How long a connection may take to be made, where that is shorter than the upstream's own clock has it. */
  readonly connectMs?: number | undefined
  /** It goes out on a connection of its own: one that had served before was closed under the attempt before it. */
  readonly isFresh?: boolean | undefined
  /** Headers for all of its requests, name and value in turn: its place in the call's trace. */
  readonly trace?: readonly string[] | undefined
  readonly signal: CallSignal
  /** Filled in by the provider as it goes. */
  readonly notes: AttemptNotes
}

export type AttemptNotes = {
  /** When the upstream's headers came, on the monotonic clock, in milliseconds. */
  headersAt: number | undefined
  upstreamStatus: number | undefined
  /** The upstream's own id for the request, for its support desk. */
  upstreamRequestId: string | undefined
  /** How long the upstream says it worked, in milliseconds: what a price per second is multiplied with. */
  billedMs: number | undefined
  /** Request fields this upstream could not use, dropped because the answer's meaning does not change. */
  readonly dropped: string[]
  /** Absent: it has not said so, or not yet. */
  ending?: Ending | undefined
  /** An unknown finish reason of its answer. */
  unknownReason?: string | undefined
  /** Called with the upstream's headers as they come; absent: nobody wants them. */
  onHeaders?: ((status: number, header: (name: string) => string | undefined) => void) | undefined
  /** Nothing has gone out yet: it waits for a connection. Absent: that is not known. */
  isUnsent?: boolean | undefined
  /** What was translated on the way: `messages to prompt (llama3)`. */
  readonly converted: string[]
}

/** One model at one upstream. */
export type Deployment = {
  /** `model@upstream`; unique within a configuration. */
  readonly id: string
  readonly upstream: Upstream
  /** The model's name there; undefined: as the caller spelled it. */
  readonly upstreamModel: string | undefined
  /**
   * The name that an answer to a call for `asked` says, in place of the upstream's own; undefined: the upstream's own.
   * Absent: always that.
   */
  readonly answersAs?: (asked: string) => string | undefined
  readonly clocks: Clocks
  readonly retry: Retry
  /** Its part of the calls where they are shared out by weight; 0: it gets none. */
  readonly weight: number
  readonly price: Price
  /** Absent where the price is not known or not kept. */
  readonly priceOrigin?: PriceOrigin | undefined
  /** Absent where it is not known whether the provider has the model. */
  readonly presence?: Presence | undefined
  /** It stands in for the model that was asked for, under this name. */
  readonly successor?: string | undefined
  /** The provider has the model no more, and nobody but the catalogue sends calls there: it gets none. */
  readonly gone?: Presence | undefined
  /** An operator has taken it out of use: it gets no new calls. Absent: it is in use. */
  readonly isDrained?: boolean
  readonly traits: Traits
  /** What it has not written when it is left is not billed. Absent: that is not known. */
  readonly stopsOnAbort?: boolean | undefined
  /** The same deployment for one model, where it goes by the caller's spelling. Absent where it is one for all. */
  readonly forModel?: (model: string) => Deployment
  /** The model that `forModel` made it for: what it costs, holds, and how it has been doing hangs on that. */
  readonly madeFor?: string
}

/** What a deployment can do. What is not known is undefined, and no reason to leave it out. */
export type Traits = {
  /** Prompt and answer together. */
  readonly contextTokens?: number | undefined
  readonly maxOutputTokens?: number | undefined
  /** False: a call that asks for more than that is sent as it is. */
  readonly lowersMaxTokens?: boolean | undefined
  /** Whether a line of Claude Code's for Anthropic's accounts is passed on. Undefined: to Anthropic alone. */
  readonly keepsBillingLine?: boolean | undefined
  readonly tools?: boolean | undefined
  /** `response_format` with a schema. */
  readonly jsonSchema?: boolean | undefined
  /** Images in messages. */
  readonly vision?: boolean | undefined
  readonly logprobs?: boolean | undefined
  /** How many texts one request for embeddings may hold: more are split. */
  readonly inputsPerRequest?: number | undefined
}

/** Where a call may run: the deployments of one name or pattern of names, and how to choose among them. */
export type Route = {
  /** A model's name; `*` stands for any run of characters. */
  readonly pattern: string
  readonly strategy: StrategyName
  readonly deployments: readonly Deployment[]
  /** What savings are measured against; undefined: the first deployment. */
  readonly baseline?: Deployment | undefined
}

/** Takes each call's record once, when the call is over. Must not throw, must not wait. */
export interface Sink {
  write(record: CallRecord): void
}

/** Counts tokens where an upstream did not. Always an estimate: the upstream's tokenizer may be another. */
export interface TokenCounter {
  count(text: string): Promise<number>
}

/** Makes of a text the very tokens that a model makes of it. */
export interface TokenEncoder {
  /**
   * The tokens that all of these models make of it. Undefined where they differ, where a vocabulary is not available, and
   * for text that would take too long. Markers such as `<|endoftext|>` are the text they are.
   */
  encode(models: Iterable<string>, text: string): Promise<readonly number[] | undefined>
}

/** Turns token ids into the text they stand for, for upstreams that take only text. */
export interface Detokenizer {
  decode(tokens: readonly number[]): Promise<string>
}

/** Monotonic milliseconds for durations, epoch milliseconds for dates. */
export type Clock = { readonly now: () => number; readonly epochMs: () => number }

/** A number in [0, 1). */
export type Random = () => number

/**
 * The places at one upstream, as many as it may run at once, and who waits for one, in the order they came. A caller that
 * has a place gives it back once, by `leave`.
 */
export interface Queue {
  /** Takes a place, when one is free. */
  enter(): boolean
  /**
   * Resolves with a place taken, for this principal. Rejects with `busy`: at once where too many wait already, or when none came free
   * within the queue's own time and `leftMs`; and with the signal's reason as soon as it aborts.
   */
  wait(signal: CallSignal, leftMs: number, who?: string): Promise<void>
  /** Gives a place back to the caller that has waited longest, of the principal whose turn it is. */
  leave(): void
  /** How many have a place, and how many wait for one. */
  read(): { readonly running: number; readonly waiting: number }
}
