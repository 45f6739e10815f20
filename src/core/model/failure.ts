/**
 * The one error that crosses a border inside the gateway. Its kind decides the status, OpenAI's `type` and
 * `code`, and whether another attempt can help. `message` is for the caller: it holds no key, no address of an
 * upstream, no text of a prompt. What only the operator should see travels as `cause` and `operatorNote`.
 * A bug is not a Failure: a TypeError stays one, and is answered as `internal`; one over an upstream's answer is that
 * upstream's `invalid_response`.
 */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly kind: FailureKind
  /** The JSON path of the field at fault, as OpenAI writes it: `messages[0].content`. */
  readonly param: string | null
  readonly code: string | null
  /** The provider whose fault it was. */
  readonly provider: string | undefined
  /** The HTTP status the upstream gave, when it gave one. */
  readonly upstreamStatus: number | undefined
  /** How long the upstream asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined
  /** For operators alone: what the upstream said, redacted, and without what it repeated of the request. */
  readonly upstreamSaid: string | undefined
  /** For the log alone: which setting to look at. Never holds a secret. */
  readonly operatorNote: string | undefined
  /** For the log alone: where it was asked in vain, without credentials. */
  readonly askedUrl: string | undefined
  /** Headers the answer must carry, such as `allow`. */
  readonly headers: Readonly<Record<string, string>>
  /** The upstream may have worked for it and may bill it, though it reported nothing. */
  readonly mayBeBilled: boolean
  readonly #shown: FailureDetail['shown']
  /**
   * The request was lost with a connection that had served before, at once and without a byte of an answer. That is no
   * failure of the upstream: it is sent once more by a fresh one.
   */
  readonly isStale: boolean
  /** What the upstream said beside its message, redacted: for the caller alone, and for no log. */
  readonly #extra: Readonly<Record<string, unknown>> | undefined
  /** The gateway's own code threw over it: the cause is a bug, to be logged with its stack. */
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

  /** The same failure, with the provider it happened at, unless it names one already. */
  at(provider: string): Failure {
    if (this.provider !== undefined || this.blame === 'caller') return this
    return this.#copy(this.message, provider)
  }

  /** The same failure in other words. */
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

  /** Beside the message, in an error's body. */
  get extra(): Readonly<Record<string, unknown>> {
    return this.#extra ?? {}
  }

  get status(): number {
    return this.#shown?.status ?? failureKinds[this.kind].status
  }

  get type(): string {
    return this.#shown?.type ?? failureKinds[this.kind].type
  }

  /** Whether asking the same deployment once more can help. */
  get again(): boolean {
    return failureKinds[this.kind].again
  }

  /** Whether another deployment may do what this one could not. */
  get elsewhere(): boolean {
    return failureKinds[this.kind].elsewhere
  }

  /** Whose doing it was: only `upstream` may ever count against a deployment's health. */
  get blame(): Blame {
    return failureKinds[this.kind].blame
  }
}

/** Any thrown value as a Failure: itself when it is one, otherwise `internal`, the cause kept for the log. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown
  return new Failure('internal', 'The gateway had an error while processing your request.', { cause: thrown })
}

export type FailureKind = keyof typeof failureKinds

/** Whether a text from another process, perhaps of another version, is a kind that is known here. */
export function isFailureKind(text: string): text is FailureKind {
  return Object.hasOwn(failureKinds, text)
}

export type FailureDetail = {
  readonly param?: string | null
  /** Overrides the kind's own code; null for none. */
  readonly code?: string | null
  readonly provider?: string | undefined
  readonly upstreamStatus?: number | undefined
  readonly retryAfterMs?: number | undefined
  readonly operatorNote?: string | undefined
  readonly askedUrl?: string | undefined
  readonly upstreamSaid?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Where the kind alone does not tell. */
  readonly mayBeBilled?: boolean
  /** In place of the kind's own. */
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
  // The caller's own mistakes: told exactly, never tried again.
  invalid_request: { status: 400, type: invalid, code: null, ...caller },
  unauthorized: { status: 401, type: invalid, code: 'invalid_api_key', ...caller },
  not_found: { status: 404, type: invalid, code: 'unknown_url', ...caller },
  method_not_allowed: { status: 405, type: invalid, code: 'method_not_supported', ...caller },
  not_implemented: { status: 501, type: invalid, code: 'not_implemented', ...caller },
  too_large: { status: 413, type: invalid, code: 'request_too_large', ...caller },
  unsupported_media: { status: 415, type: invalid, code: 'unsupported_media_type', ...caller },
  /** A management key whose role does not reach so far. */
  forbidden: { status: 403, type: invalid, code: 'forbidden', ...caller },
  /** The key was taken back while the call was under way, and the call ended with it. */
  revoked: { status: 401, type: invalid, code: 'key_revoked', ...caller },
  /** What is to be changed does not allow it as it is now. */
  conflict: { status: 409, type: invalid, code: 'conflict', ...caller },
  /** A budget has no room for it, and waiting a little will not help. */
  quota_exhausted: { status: 429, type: 'insufficient_quota', code: 'insufficient_quota', ...caller },
  /** A limit of ours on requests, tokens or calls at once, or a budget that other calls hold for the moment. */
  limit_reached: { status: 429, type: 'requests', code: 'rate_limit_exceeded', ...caller },
  /** An Idempotency-Key that was sent before, with another request. */
  key_reused: { status: 422, type: invalid, code: 'idempotency_key_reused', ...caller },
  /** The caller hung up. No one reads the answer, and no one is to blame. */
  caller_left: { status: 499, type: invalid, code: 'client_closed_request', ...caller },

  /** No longer wanted: another attempt at the same answer was there sooner, or another part of it failed. */
  superseded: { status: 499, type: invalid, code: null, ...caller },

  // What this upstream will not do, though another may.
  unsupported: { status: 400, type: invalid, code: 'unsupported_parameter', ...caller, elsewhere: true },
  model_not_found: { status: 404, type: invalid, code: 'model_not_found', ...caller, elsewhere: true },

  // The upstream's word on the caller's request.
  rejected: { status: 400, type: invalid, code: null, ...caller },
  context_length: { status: 400, type: invalid, code: 'context_length_exceeded', ...caller },
  content_filtered: { status: 400, type: invalid, code: 'content_filter', ...caller },

  // The upstream's own trouble.
  rate_limited: { status: 429, type: 'requests', code: 'rate_limit_exceeded', ...upstream, blame: 'load' },
  overloaded: { status: 503, type: 'service_unavailable_error', code: 'server_is_overloaded', ...upstream },
  /** Our own limit on concurrent calls there: the upstream was not asked, and may be healthy. */
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
  /** An answer that is none: not JSON, half of it, or without what an answer must hold. */
  invalid_response: { status: 502, type: 'server_error', code: 'upstream_invalid_response', ...upstream },
  /** The stream ended before the answer did. */
  interrupted: { status: 502, type: 'server_error', code: 'upstream_stream_interrupted', ...upstream },
  /** A silent upstream is not asked again. */
  timeout: { status: 504, type: 'server_error', code: 'upstream_timeout', ...upstream, again: false },
  /** Our own key or account, refused upstream: the operator's to mend. */
  upstream_auth: {
    status: 502,
    type: 'server_error',
    code: 'upstream_auth_error',
    again: false,
    elsewhere: true,
    blame: 'operator',
  },
  /** Where the configuration has us ask, there is nothing: the operator's to mend. */
  path_not_found: {
    status: 502,
    type: 'server_error',
    code: 'upstream_path_not_found',
    again: false,
    elsewhere: true,
    blame: 'operator',
  },

  // The gateway's own.
  /** More work than it can take: turned away before its body was read. */
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

/** What goes wrong when the upstream has the request, and may have begun to answer it. */
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
