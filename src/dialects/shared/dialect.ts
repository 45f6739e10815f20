import type { AnyCall, Call, Delta, Relay, RelayReply, Reply } from '../../core/model/call.ts'
import type { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { JsonText } from '../../core/model/json/json-text.ts'
import type { Recollection } from '../../core/model/response-storage.ts'
import type { Usage } from '../../core/model/terms.ts'

/** Reads requests of one wire format and writes its errors. Pure and synchronous. */
export interface Asking<Asked extends AnyCall> {
  readonly name: string
  /** Paths below a prefix, such as `/chat/completions`; `''` is the prefix itself. */
  readonly path: string
  /** Prefixes under which it is served. */
  readonly prefixes: readonly string[]
  /** Throws Failure `invalid_request` or `unsupported`, naming the field at fault. */
  parse(request: Incoming): Asked
  /** Looks up the stored responses that a request refers to, for `parse`; undefined: it refers to none. */
  recall?(request: Incoming): Promise<Recollection> | undefined
  /** The body of an error; some formats include the id of the request. */
  fail(failure: Failure, requestId?: string): JsonObject
  /** The header in which its clients look for the request's id, in addition to `x-request-id`. */
  readonly requestIdHeader?: string
}

/** One wire format of callers: requests become Calls, and replies are written as the caller's library expects them. */
export interface Dialect extends Asking<Call> {
  /** The JSON text of a whole answer. */
  render(reply: Reply, call: Call, info: AnswerInfo): string
  /** A writer for one stream. */
  encoder(call: Call, info: () => AnswerInfo): StreamEncoder
  /** Resolves, and never rejects, once what is kept of a call's answer is safe: its end is to wait for that. */
  kept?(call: Call): Promise<void> | undefined
}

/** A wire format of requests that are forwarded unchanged. */
export interface RelayDialect extends Asking<Relay> {
  /** The JSON text of the answer. */
  render(reply: RelayReply): string
}

/** A request as it arrived: a parsed object, not validated. */
export type Incoming = {
  readonly id: string
  readonly body: JsonText
  readonly credential: string | undefined
  /** The tenant: stored responses of one are invisible to others. */
  readonly tenant?: string | undefined
  readonly deadlineMs: number | undefined
  /** Refuse what OpenAI refuses, not only what cannot be done. */
  readonly strict: boolean
  /** The stored responses that it refers to. */
  readonly recalled?: Recollection | undefined
  /** The request's headers, for steering; undefined if there are none. */
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

/** Notes on how an answer was made, for its body. */
export type AnswerInfo = { readonly slow: boolean }

/** Stateful, synchronous, one per stream. Every method gives SSE frames, or ''. */
export interface StreamEncoder {
  encode(deltas: readonly Delta[]): string
  /**
   * A keep-alive event, for clients that measure the time between events and ignore comments. Also before the first
   * delta; `startedEpochMs` is when the call began. Absent: the format has none.
   */
  idle?(startedEpochMs: number): string
  /** After the last delta: the usage frame if requested, and the terminator. */
  end(usage: Usage): string
  /** In place of `end` when the stream breaks after its first frame: no terminator follows. */
  fail(failure: Failure): string
}

/** The prefixes that clients of OpenAI, Anthropic and Together use. */
export const everyPrefix: readonly string[] = ['/v1', '/inference', '/inference/v1']
