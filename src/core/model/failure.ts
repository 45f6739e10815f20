/**
 * The one error that crosses module boundaries inside the gateway. Its kind decides the status, OpenAI's `type` and
 * `code`, and whether another attempt can help. `message` is for the caller: it contains no key, no upstream address,
 * no prompt text. Details for the operator travel as `cause` and `operatorNote`. A bug is not a Failure: a TypeError
 * stays one and is answered as `internal`; one thrown while reading an upstream's answer becomes that upstream's
 * `invalid_response`.
 */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly kind: FailureKind
  /** The JSON path of the field at fault, as OpenAI writes it: `messages[0].content`. */
  readonly param: string | null
  readonly code: string | null
  /** The provider at fault. */
  readonly provider: string | undefined
  /** The HTTP status the upstream gave, when it gave one. */
  readonly upstreamStatus: number | undefined
  /** How long the upstream asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined
  /** For operators only: the upstream's message, redacted, and without text of the request that it repeated. */
  readonly upstreamSaid: string | undefined
  /** For the log only: which setting to look at. Never contains a secret. */
  readonly operatorNote: string | undefined
  /** For the log only: the address that was not found, without credentials. */
  readonly askedUrl: string | undefined
  /** Headers the answer must carry, such as `allow`. */
  readonly headers: Readonly<Record<string, string>>
  /** The upstream may have worked on the request and may bill it, though it reported no usage. */
  readonly mayBeBilled: boolean
  readonly #shown: FailureDetail['shown']
  /**
   * The request was lost with a reused connection, at once and before any byte of an answer. The upstream is not at
   * fault: the request is sent once more on a new connection.
   */
  readonly isStale: boolean
  /** Further fields of the upstream's error, redacted: for the caller only, not for logs. */
  readonly #extra: Readonly<Record<string, unknown>> | undefined
  /** The gateway's own code threw: the cause is a bug, logged with its stack. */
  readonly isBug: boolean

  constructor(kind: FailureKind, message: string, detail: FailureDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.kind = kind
    this.param = detail.param ?? null
    this.code = detail.code === undefined ? failureKinds[kind].code : detail.code
    this.provider = detail.provider
    this.upstreamStatus = detail.upstreamStatus
    this.retryAfterMs = detail.retryAfterMs
    this.operatorNote = detail.operatorNote
    this.askedUrl = detail.askedUrl
    this.upstreamSaid = detail.upstreamSaid
    this.headers = detail.headers ?? {}
    this.mayBeBilled = detail.mayBeBilled ?? billable.has(kind)
    this.#shown = detail.shown
    this.isStale = detail.isStale ?? false
    this.#extra = detail.extra
    this.isBug = detail.isBug ?? kind === 'internal'
  }

  /** The same failure, with its provider set, unless it has one. */
  at(provider: string): Failure {
    if (this.provider !== undefined || this.blame === 'caller') return this
    return this.#copy(this.message, provider)
  }

  /** The same failure with another message. */
  saying(message: string): Failure {
    return this.#copy(message, this.provider)
  }

  #copy(message: string, provider: string | undefined): Failure {
    return new Failure(this.kind, message, {
      param: this.param,
      code: this.code,
      provider,
      upstreamStatus: this.upstreamStatus,
      retryAfterMs: this.retryAfterMs,
      operatorNote: this.operatorNote,
      askedUrl: this.askedUrl,
      upstreamSaid: this.upstreamSaid,
      headers: this.headers,
      mayBeBilled: this.mayBeBilled,
      shown: this.#shown,
      isStale: this.isStale,
      extra: this.#extra,
      isBug: this.isBug,
      cause: this.cause,
    })
  }

  /** Further members of an error's body. */
  get extra(): Readonly<Record<string, unknown>> {
    return this.#extra ?? {}
  }

  get status(): number {
    return this.#shown?.status ?? failureKinds[this.kind].status
  }

  get type(): string {
    return this.#shown?.type ?? failureKinds[this.kind].type
  }

  /** Whether a retry at the same deployment can help. */
  get again(): boolean {
    return failureKinds[this.kind].again
  }

  /** Whether another deployment may succeed. */
  get elsewhere(): boolean {
    return failureKinds[this.kind].elsewhere
  }

  /** Who is at fault: only `upstream` ever counts against a deployment's health. */
  get blame(): Blame {
    return failureKinds[this.kind].blame
  }
}

/** Any thrown value as a Failure: itself if it is one, otherwise `internal`, with the cause for the log. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown
  return new Failure('internal', 'The gateway had an error while processing your request.', { cause: thrown })
}

export type FailureKind = keyof typeof failureKinds

/** Whether a text from another process, possibly of another version, is a known kind. */
export function isFailureKind(text: string): text is FailureKind {
  return Object.hasOwn(failureKinds, text)
}

export type FailureDetail = {
  readonly param?: string | null
  /** Overrides the kind's code; null for none. */
  readonly code?: string | null
  readonly provider?: string | undefined
  readonly upstreamStatus?: number | undefined
  readonly retryAfterMs?: number | undefined
  readonly operatorNote?: string | undefined
  readonly askedUrl?: string | undefined
  readonly upstreamSaid?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Overrides the kind's default. */
  readonly mayBeBilled?: boolean
  /** Overrides the kind's default. */
  readonly shown?: { readonly status?: number; readonly type?: string } | undefined
  readonly isStale?: boolean
  readonly extra?: Readonly<Record<string, unknown>> | undefined
  readonly isBug?: boolean
  readonly cause?: unknown
}

type Blame = 'caller' | 'operator' | 'upstream' | 'load' | 'gateway'

type FailureRow = {
  readonly status: number
  readonly type: string
  readonly code: string | null
  readonly again: boolean
  readonly elsewhere: boolean
  readonly blame: Blame
}

const caller = { again: false, elsewhere: false, blame: 'caller' } as const
const upstream = { again: true, elsewhere: true, blame: 'upstream' } as const
const invalid = 'invalid_request_error'

const failureKinds = {
  // Mistakes of the caller: reported exactly, never retried.
  invalid_request: { status: 400, type: invalid, code: null, ...caller },
  unauthorized: { status: 401, type: invalid, code: 'invalid_api_key', ...caller },
  not_found: { status: 404, type: invalid, code: 'unknown_url', ...caller },
  method_not_allowed: { status: 405, type: invalid, code: 'method_not_supported', ...caller },
  not_implemented: { status: 501, type: invalid, code: 'not_implemented', ...caller },
  too_large: { status: 413, type: invalid, code: 'request_too_large', ...caller },
  unsupported_media: { status: 415, type: invalid, code: 'unsupported_media_type', ...caller },
  /** A management key with too low a role. */
  forbidden: { status: 403, type: invalid, code: 'forbidden', ...caller },
  /** The key was revoked while the call was in flight, which ended the call. */
  revoked: { status: 401, type: invalid, code: 'key_revoked', ...caller },
  /** The current state does not allow the change. */
  conflict: { status: 409, type: invalid, code: 'conflict', ...caller },
  /** A budget has no room, and a short wait will not help. */
  quota_exhausted: { status: 429, type: 'insufficient_quota', code: 'insufficient_quota', ...caller },
  /**
   * A limit of ours on requests, tokens or concurrent calls, or a budget that is held by other calls for the moment.
   */
  limit_reached: { status: 429, type: 'requests', code: 'rate_limit_exceeded', ...caller },
  /** An Idempotency-Key that was already used with another request. */
  key_reused: { status: 422, type: invalid, code: 'idempotency_key_reused', ...caller },
  /** The caller hung up. The answer is no longer needed, and no upstream is at fault. */
  caller_left: { status: 499, type: invalid, code: 'client_closed_request', ...caller },

  /** No longer needed: another attempt answered first, or another part failed. */
  superseded: { status: 499, type: invalid, code: null, ...caller },

  // This upstream refuses the request, though another may not.
  unsupported: { status: 400, type: invalid, code: 'unsupported_parameter', ...caller, elsewhere: true },
  model_not_found: { status: 404, type: invalid, code: 'model_not_found', ...caller, elsewhere: true },

  // The upstream's judgement of the caller's request.
  rejected: { status: 400, type: invalid, code: null, ...caller },
  context_length: { status: 400, type: invalid, code: 'context_length_exceeded', ...caller },
  content_filtered: { status: 400, type: invalid, code: 'content_filter', ...caller },

  // Problems of the upstream itself.
  rate_limited: { status: 429, type: 'requests', code: 'rate_limit_exceeded', ...upstream, blame: 'load' },
  overloaded: { status: 503, type: 'service_unavailable_error', code: 'server_is_overloaded', ...upstream },
  /** Our own limit on concurrent calls there: nothing was sent, and the upstream may be healthy. */
  busy: {
    status: 503,
    type: 'service_unavailable_error',
    code: 'upstream_busy',
    again: false,
    elsewhere: true,
    blame: 'load',
  },
  upstream_error: { status: 502, type: 'server_error', code: 'upstream_error', ...upstream },
  unreachable: { status: 502, type: 'server_error', code: 'upstream_unreachable', ...upstream },
  /** An unusable answer: not JSON, incomplete, or without what an answer must contain. */
  invalid_response: { status: 502, type: 'server_error', code: 'upstream_invalid_response', ...upstream },
  /** The stream ended before the answer did. */
  interrupted: { status: 502, type: 'server_error', code: 'upstream_stream_interrupted', ...upstream },
  /** An upstream that timed out is not retried. */
  timeout: { status: 504, type: 'server_error', code: 'upstream_timeout', ...upstream, again: false },
  /** The upstream refused our key or account: for the operator to fix. */
  upstream_auth: {
    status: 502,
    type: 'server_error',
    code: 'upstream_auth_error',
    again: false,
    elsewhere: true,
    blame: 'operator',
  },
  /** The configured address does not exist: for the operator to fix. */
  path_not_found: {
    status: 502,
    type: 'server_error',
    code: 'upstream_path_not_found',
    again: false,
    elsewhere: true,
    blame: 'operator',
  },

  // Problems of the gateway itself.
  /** The gateway is overloaded: refused before its body was read. */
  shed: {
    status: 503,
    type: 'service_unavailable_error',
    code: 'gateway_overloaded',
    again: false,
    elsewhere: false,
    blame: 'gateway',
  },
  draining: {
    status: 503,
    type: 'service_unavailable_error',
    code: 'gateway_draining',
    again: false,
    elsewhere: false,
    blame: 'gateway',
  },
  internal: {
    status: 500,
    type: 'server_error',
    code: null,
    again: false,
    elsewhere: false,
    blame: 'gateway',
  },
} as const satisfies Record<string, FailureRow>

/** Failures after the upstream has received the request, and may have begun to answer. */
const billable: ReadonlySet<string> = new Set<FailureKind>([
  'caller_left',
  'superseded',
  'revoked',
  'draining',
  'upstream_error',
  'invalid_response',
  'interrupted',
  'timeout',
])
