import type { AnyCall, Call, Delta, Relay, RelayReply, Reply } from '../../core/model/call.ts'
import type { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { JsonText } from '../../core/model/json/json-text.ts'
import type { Recollection } from '../../core/model/response-shelf.ts'
import type { Usage } from '../../core/model/terms.ts'

/** How callers of one wire format ask, and how they are told that it went wrong: pure and synchronous. */
export interface Asking<Asked extends AnyCall> {
  readonly name: string
  /** Paths below a prefix, such as `/chat/completions`; `''` is the prefix itself. */
  readonly path: string
  /** Prefixes under which it is served. */
  readonly prefixes: readonly string[]
  /** Throws Failure `invalid_request` or `unsupported`, naming the field at fault. */
  parse(request: Incoming): Asked
  /** Looks up what a request refers to of what was kept, for `parse`; undefined: it refers to nothing. */
  recall?(request: Incoming): Promise<Recollection> | undefined
  /** The body of an error answer, and in some formats the id of the request that it answers. */
  fail(failure: Failure, requestId?: string): JsonObject
  /** The header in which its clients look for the request's id, where that is not `x-request-id` alone. */
  readonly requestIdHeader?: string
}

/**
 * One wire format of callers. What a caller sends becomes a Call; what comes back is written as that caller's
 * library expects it.
 */
export interface Dialect extends Asking<Call> {
  /** The JSON text of a whole answer. */
  render(reply: Reply, call: Call, told: Told): string
  /** A writer for one stream. */
  encoder(call: Call, told: () => Told): StreamEncoder
  /** Resolves, and never rejects, once what is kept of a call's answer is safe: its end is to wait for that. */
  kept?(call: Call): Promise<void> | undefined
}

/** A wire format of requests that are passed on as they are. */
export interface RelayDialect extends Asking<Relay> {
  /** The JSON text of the answer. */
  render(reply: RelayReply): string
}

/** A request as it arrived: parsed, an object, nothing in it validated. */
export type Incoming = {
  readonly id: string
  readonly body: JsonText
  readonly credential: string | undefined
  /** Who asks: what is kept for one is no other's to read. */
  readonly tenant?: string | undefined
  readonly deadlineMs: number | undefined
  /** Refuse what OpenAI refuses, instead of what cannot be done. */
  readonly strict: boolean
  /** What it refers to of what was kept. */
  readonly recalled?: Recollection | undefined
  /** The request's headers, for what of them steers it; undefined where there are none. */
  readonly headers?: HeaderLookup | undefined
}

/** The call that a request is, once what it refers to is there. */
export function parseWhole<Asked extends AnyCall>(
  dialect: Asking<Asked>,
  request: Incoming,
): Asked | Promise<Asked> {
  const recalling = dialect.recall?.(request)
  if (recalling === undefined) return dialect.parse(request)
  return recalling.then((recalled) => dialect.parse({ ...request, recalled }))
}

/** A header's text by its lower case name. */
export type HeaderLookup = (name: string) => string | undefined

/** What an answer may tell about how it was made. */
export type Told = { readonly slow: boolean }

/** Stateful, synchronous, one per stream. Every method gives SSE frames, or ''. */
export interface StreamEncoder {
  encode(deltas: readonly Delta[]): string
  /**
   * While there is nothing to tell: an event that says nothing, for clients that count the silence between events,
   * comments or no. Also before the first delta; `startedEpochMs` is when the call began. Absent: there is no such
   * event.
   */
  idle?(startedEpochMs: number): string
  /** After the last delta: the usage frame, when asked for, and the terminator. */
  end(usage: Usage): string
  /** Instead of `end`, when the stream breaks after its first frame: no terminator follows. */
  fail(failure: Failure): string
}
