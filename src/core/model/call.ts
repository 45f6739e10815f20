import type { Failure } from './failure.ts'
import type { JsonText } from './json/json-text.ts'
import type { CallTenant } from './tenant.ts'
import type { Kind, RelayKind, StrategyName, Usage } from './terms.ts'

/**
 * One request of one caller, in the internal format: `body` is OpenAI's own request of that kind, with every field the
 * caller sent, known or not.
 */
export type Call = CallOf<Kind>

/**
 * A request that is forwarded unchanged, and so is its answer. `body` is OpenAI's for embeddings, Together's for
 * rerank.
 */
export type Relay = CallOf<RelayKind>

/** A request of any kind, as far as routing is concerned. */
export type AnyCall = CallOf<Kind | RelayKind>

/** The fields of calls of every kind. */
export type CallOf<OfKind extends Kind | RelayKind> = {
  /** `req_` and 32 hex digits; also the answer's `x-request-id`. */
  readonly id: string
  readonly dialect: string
  readonly kind: OfKind
  /** The model as the caller named it. */
  readonly model: string
  readonly stream: boolean
  /** The caller requested usage at the end of the stream. */
  readonly includeUsage: boolean
  readonly body: JsonText
  /** The caller's bearer, when it was not this gateway's own key. */
  readonly credential: string | undefined
  /** The caller's own deadline for the whole call, in milliseconds. */
  readonly deadlineMs: number | undefined
  /** The last message is a prefill: the answer continues it. */
  readonly continues?: boolean | undefined
  /** The decisions of the caller's key; undefined: none. */
  readonly tenant?: CallTenant | undefined
  /**
   * Like `continues`, for formats in which a prefill is a usual part of a request: the call also goes to upstreams that
   * cannot continue one.
   */
  readonly prefills?: boolean | undefined
  /** The caller's routing preferences; undefined: none. */
  readonly steering?: Steering | undefined
  /** Fields that `body` has no place for: reported to the caller as dropped. */
  readonly dropped?: readonly string[] | undefined
  /** Fields that were translated into `body` under another name. */
  readonly converted?: readonly string[] | undefined
}

/** A caller's routing preferences for one call. Providers are named as in the configuration. */
export type Steering = {
  /** Models to fall back to, in order. */
  readonly models: readonly string[]
  /** Providers to try first, in this order. */
  readonly order: readonly string[]
  /** The only providers that may be used; undefined: any. */
  readonly only: readonly string[] | undefined
  /** Providers that may not be used. */
  readonly ignore: readonly string[]
  /** Replaces the route's own strategy. */
  readonly strategy: StrategyName | undefined
  readonly maxPrice: PriceCap | undefined
  /** False: only the first suitable deployment is tried. */
  readonly allowFallbacks: boolean
}

/** Price caps: per million tokens, or in all; whole nano-USD. */
export type PriceCap = {
  readonly inputNanoUsdPerMillion?: number | undefined
  readonly outputNanoUsdPerMillion?: number | undefined
  readonly requestNanoUsd?: number | undefined
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call'

/** A fragment of a tool call in a stream, or a whole one in a reply. */
export type ToolCall = {
  index?: number
  id?: string
  type?: string
  function?: { name?: string; arguments?: string; [extra: string]: unknown }
  [extra: string]: unknown
}

export type Message = {
  role?: string
  content?: string | null
  reasoning_content?: string
  tool_calls?: ToolCall[]
  [extra: string]: unknown
}

/** `text` in a text completion, `delta` in a chunk of a chat, `message` in a whole reply of a chat. */
export type Choice = {
  index: number
  text?: string
  delta?: Message
  message?: Message
  logprobs?: unknown
  finish_reason: FinishReason | null
  [extra: string]: unknown
}

/** OpenAI's chunk or reply, loosely typed: an unknown field is passed on. */
export type Chunk = {
  id: string
  object: string
  created: number
  model: string
  choices: Choice[]
  usage?: Usage | null
  [extra: string]: unknown
}

/** A piece of a reply: one chunk of a stream, or the whole JSON reply. */
export type Delta = JsonText<Chunk> & {
  /** The new text, if the delta differs from the one before in nothing else; absent: not compared. */
  readonly word?: string | undefined
}

/** A delta as a provider gives it: nothing in the chunk has been validated yet. */
export type RawDelta = JsonText & {
  /** True if it differs from the delta before only in a piece of text that is not empty. */
  readonly isAlike?: boolean
  /** That text. */
  readonly word?: string | undefined
  /** The answer broke here, unless it had already ended. The chunk is empty. */
  readonly failure?: Failure
}

/** The answer to a relay. */
export type RelayReply = JsonText

/** A complete JSON answer, with its usage. */
export type Reply = { readonly chunk: JsonText<Chunk>; readonly usage: Usage }

/** The four clocks of an attempt, in milliseconds. */
export type Clocks = {
  readonly connectMs: number
  readonly firstTokenMs: number
  readonly idleMs: number
  readonly totalMs: number
}

/** How often the same deployment is retried, and the delay before a retry. */
export type Retry = { readonly retries: number; readonly delayMs: number }
