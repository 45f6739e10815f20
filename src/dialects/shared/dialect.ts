import type { AnyCall, Call, Delta, Relay, RelayReply, Reply } from '../../core/model/call.ts'
import type { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { JsonText } from '../../core/model/json/json-text.ts'
import type { Recollection } from '../../core/model/response-storage.ts'
import type { Usage } from '../../core/model/terms.ts'
import type { Fields } from './validate.ts'

/** Parses the requests of one wire format and renders its errors. Pure and synchronous. */
export interface WireFormat<Asked extends AnyCall> {
  readonly name: string
  /** The path below a prefix, such as `/chat/completions`; `''` for the prefix itself. */
  readonly path: string
  /** The prefixes under which the path is served. */
  readonly prefixes: readonly string[]
  /** For the description of the API. Absent: any object. */
  readonly requestShape?: RequestShape | undefined
  /** Throws Failure `invalid_request` or `unsupported`, with the name of the invalid field. */
  parse(request: Incoming): Asked
  /** Looks up the stored responses that a request refers to, for `parse`. Undefined if it refers to none. */
  recall?(request: Incoming): Promise<Recollection> | undefined
  /** Returns the body of an error. Some formats include the request's id. */
  fail(failure: Failure, requestId?: string): JsonObject
  /** A further header for the request's id, beside `x-request-id`, that its clients read. */
  readonly requestIdHeader?: string
}

/** The fields of a request that are validated, and those that must be in it. */
export type RequestShape = { readonly fields: Fields; readonly required: readonly string[] }

/** A wire format of callers for generation: it parses calls, and renders replies and streams. */
export interface Dialect extends WireFormat<Call> {
  /** Returns the JSON text of a whole answer. */
  render(reply: Reply, call: Call, info: AnswerInfo): string
  /** Creates a writer for one stream. */
  encoder(call: Call, info: () => AnswerInfo): StreamEncoder
  /**
   * Resolves when a call's answer has been stored; never rejects. The end of the answer waits for it. Undefined if
   * nothing is stored.
   */
  kept?(call: Call): Promise<void> | undefined
}

/** A wire format of requests that are forwarded unchanged: embeddings and rerank. */
export interface RelayDialect extends WireFormat<Relay> {
  /** Returns the JSON text of the answer. */
  render(reply: RelayReply): string
}

/** A request whose body is parsed as JSON but not validated. */
export type Incoming = {
  readonly id: string
  readonly body: JsonText
  readonly credential: string | undefined
  /** The tenant. Stored responses of other tenants are invisible to it. */
  readonly tenant?: string | undefined
  readonly deadlineMs: number | undefined
  /** True: refuse everything that OpenAI refuses, not only what the gateway cannot do. */
  readonly strict: boolean
  /** The stored responses that the request refers to. */
  readonly recalled?: Recollection | undefined
  /** The request's headers, for steering; undefined if there are none. */
  readonly headers?: HeaderLookup | undefined
}

/** Parses a request, after the stored responses that it refers to were loaded. */
export function parseWhole<Asked extends AnyCall>(
  dialect: WireFormat<Asked>,
  request: Incoming,
): Asked | Promise<Asked> {
  const recalled = dialect.recall?.(request)
  if (recalled === undefined) return dialect.parse(request)
  return recalled.then((recalled) => dialect.parse({ ...request, recalled }))
}

/** Returns a header's text by its lower-case name. */
export type HeaderLookup = (name: string) => string | undefined

/** Information about an answer that some formats include in the body. */
export type AnswerInfo = { readonly slow: boolean }

/** Writes one stream. Stateful and synchronous. Every method returns SSE frames, or ''. */
export interface StreamEncoder {
  encode(deltas: readonly Delta[]): string
  /**
   * Returns a keep-alive event, for clients that measure the time between events and ignore comments. It may be called
   * before the first delta; `startedEpochMs` is the start of the call. Absent: the format has no such event.
   */
  idle?(startedEpochMs: number): string
  /** Called after the last delta. Returns the usage frame if requested, and the terminator. */
  end(usage: Usage): string
  /** Called instead of `end` when the stream fails after its first frame. No terminator follows. */
  fail(failure: Failure): string
}

/** The prefixes that clients of OpenAI, Anthropic and Together use. */
export const everyPrefix: readonly string[] = ['/v1', '/inference', '/inference/v1']
