import type { Failure } from './failure.ts'
import type { JsonText } from './json/json-text.ts'
import type { CallTenant } from './tenant.ts'
import type { Kind, RelayKind, StrategyName, Usage } from './terms.ts'

/**
 * One request of one caller, in the internal language: `body` is OpenAI's own request of that kind, with every
 * field the caller sent, known or not.
 */
export type Call = CallOf<Kind>

/** A request that is passed on, and its answer passed back: `body` is OpenAI's for vectors, Together's for an order. */
export type Relay = CallOf<RelayKind>

/** A request of whatever kind, as far as where it runs is concerned. */
export type AnyCall = CallOf<Kind | RelayKind>

/** What calls of every kind have in common. */
export type CallOf<Asked extends Kind | RelayKind> = {
  /** `req_` and 32 hex digits; also the answer's `x-request-id`. */
  readonly id: string
  readonly dialect: string
  readonly kind: Asked
  /** The model as the caller named it. */
  readonly model: string
  readonly stream: boolean
  /** The caller asked for usage at the end of the stream. */
  readonly includeUsage: boolean
  readonly body: JsonText
  /** The caller's bearer, when it was not this gateway's own key. */
  readonly credential: string | undefined
  /** The caller's own bound on the whole call, in milliseconds. */
  readonly deadlineMs: number | undefined
  /** The last message is the beginning of the answer, which is to go on from there. */
  readonly continues?: boolean | undefined
  /** What the caller's key decides; undefined: nothing. */
  readonly tenant?: CallTenant | undefined
  /**
   * The same, where that is how callers of this format ask for an answer: an upstream that cannot is asked all the
   * same.
   */
  readonly prefills?: boolean | undefined
  /** How the caller wants it routed; undefined when nothing was said. */
  readonly steering?: Steering | undefined
  /** What the caller asked for and `body` has no place for: named to the caller. */
  readonly dropped?: readonly string[] | undefined
  /** What of it was translated into `body`, and does not go by its own name there. */
  readonly converted?: readonly string[] | undefined
}

/** How a caller wants one call routed. Providers go by the names they have in the configuration. */
export type Steering = {
  /** Models to try, in order, when the call's own cannot be had. */
  readonly models: readonly string[]
  /** Providers to try first, in this order. */
  readonly order: readonly string[]
  /** The only providers that may be used; undefined: any. */
  readonly only: readonly string[] | undefined
  /** Providers that may not be used. */
  readonly ignore: readonly string[]
  /** In place of the route's own. */
  readonly strategy: StrategyName | undefined
  readonly maxPrice: PriceCap | undefined
  /** False: the first deployment that fits is the only one to be tried. */
  readonly allowFallbacks: boolean
}

/** The most a call may cost: per million tokens, or in all; whole nano-USD. */
export type PriceCap = {
  readonly inputNanoUsdPerMillion?: number | undefined
  readonly outputNanoUsdPerMillion?: number | undefined
  readonly requestNanoUsd?: number | undefined
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call'

/** A fragment of a tool call in a stream, or the whole of one in a reply. */
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

/** A piece of a reply: one chunk of a stream, or the whole of a JSON reply (a sequence of one). */
export type Delta = JsonText<Chunk> & {
  /** The whole of what the delta before did not say, where that is one piece of text; absent: it was not compared. */
  readonly word?: string | undefined
}

/** A delta as a provider hands it over: nothing in the chunk has been validated yet. */
export type RawDelta = JsonText & {
  /** It differs from the delta before it in a piece of text that is not empty, and in nothing else. */
  readonly isAlike?: boolean
  /** That text. */
  readonly word?: string | undefined
  /** The answer broke here, unless it had come to its end. The chunk is empty. */
  readonly failure?: Failure
}

/** The answer to a relay. */
export type RelayReply = JsonText

/** A finished JSON answer, with the usage that was counted for it. */
export type Reply = { readonly chunk: JsonText<Chunk>; readonly usage: Usage }

/** The four clocks of an attempt, in milliseconds. */
export type Clocks = {
  readonly connectMs: number
  readonly firstTokenMs: number
  readonly idleMs: number
  readonly totalMs: number
}

/** How often, and after what wait, the same deployment is asked again. */
export type Retry = { readonly retries: number; readonly delayMs: number }
