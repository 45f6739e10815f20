import type { Failure } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import type { Call, Delta, Reply, Usage } from '../core/model.ts'

/**
 * One wire format of callers: pure and synchronous. What a caller sends becomes a Call; what comes back is
 * written as that caller's library expects it.
 */
export interface Dialect {
  readonly name: string
  /** Paths below a prefix, such as `/chat/completions`; `''` is the prefix itself. */
  readonly path: string
  /** Prefixes under which it is served. */
  readonly prefixes: readonly string[]
  /** Throws Failure `invalid_request` or `unsupported`, naming the field at fault. */
  parse(request: Incoming): Call
  /** The JSON text of a whole answer. */
  render(reply: Reply, call: Call, told: Told): string
  /** A writer for one stream. */
  encoder(call: Call, told: () => Told): StreamEncoder
  /** The body of an error answer. */
  fail(failure: Failure): JsonObject
}

/** A request as it arrived: parsed, an object, nothing in it vouched for. */
export type Incoming = {
  readonly id: string
  readonly body: JsonObject
  /** The wire text `body` was parsed from. */
  readonly source: string
  readonly credential: string | undefined
  readonly deadlineMs: number | undefined
  /** Refuse what OpenAI refuses, instead of what cannot be done. */
  readonly strict: boolean
  /** The request's headers, for what of them steers it; undefined where there are none. */
  readonly headers?: HeaderLookup | undefined
}

/** A header's text by its lower case name. */
export type HeaderLookup = (name: string) => string | undefined

/** What an answer may tell about how it was made. */
export type Told = { readonly slow: boolean }

/** Stateful, synchronous, one per stream. Every method gives SSE frames, or ''. */
export interface StreamEncoder {
  encode(deltas: readonly Delta[]): string
  /** After the last delta: the usage frame, when asked for, and the terminator. */
  end(usage: Usage): string
  /** Instead of `end`, when the stream breaks after its first frame: no terminator follows. */
  fail(failure: Failure): string
}
