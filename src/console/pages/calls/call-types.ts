/** A row of `GET /admin/api/calls`. */
export type CallRow = {
  readonly id: string
  readonly created_at: string
  readonly dialect: string
  readonly api_type: string | null
  readonly streamed: boolean
  readonly model: string | null
  readonly upstream_model: string | null
  readonly deployment: string | null
  readonly provider_name: string | null
  readonly successor: string | null
  readonly status: number
  readonly outcome: 'ok' | 'failed' | 'left'
  readonly failure: { readonly kind: string; readonly code: string | null } | null
  readonly limit: string | null
  readonly strategy: string | null
  readonly route: string | null
  readonly key: string | null
  readonly key_hash: string | null
  readonly key_name: string | null
  readonly team: string | null
  readonly user: string | null
  readonly tags: readonly string[] | null
  readonly attempts: number
  readonly parse_ms: number | null
  /** Until the first token. */
  readonly latency: number | null
  readonly total_ms: number
  readonly overhead_ms: number | null
  readonly backoff_ms: number
  readonly tokens_prompt: number | null
  readonly tokens_completion: number | null
  readonly native_tokens_cached: number | null
  readonly native_tokens_reasoning: number | null
  readonly tokens_estimated: boolean
  readonly cache: string | null
  readonly cost: number
  readonly cost_known: boolean
  readonly cost_usd: string | null
  readonly cost_estimated: boolean
  readonly uncertain: number
  readonly baseline: string | null
  readonly baseline_usd: string | null
  readonly saved_usd: string | null
  readonly slow: boolean
  readonly dropped: readonly string[] | null
  readonly converted: readonly string[] | null
  readonly flags: readonly string[] | null
  readonly settled: {
    readonly cost: number
    readonly at: string
    readonly by: string
    readonly reason: string
  } | null
}

/** `GET /admin/api/calls/{id}` */
export type WholeCall = Omit<CallRow, 'attempts'> & {
  readonly plan: readonly string[] | null
  readonly left_out: readonly { readonly deployment: string; readonly why: string }[] | null
  readonly expected_cost: readonly { readonly deployment: string; readonly nano_usd: number | null }[] | null
  readonly attempts: readonly AttemptRow[]
}

export type AttemptRow = {
  readonly deployment: string
  readonly outcome: string
  readonly code: string | null
  readonly operator_note: string | null
  readonly upstream_said: string | null
  readonly part: number
  readonly start_ms: number
  readonly queued_ms: number
  readonly headers_ms: number | null
  readonly first_token_ms: number | null
  readonly total_ms: number
  readonly upstream_status: number | null
  readonly upstream_id: string | null
  readonly delivered: boolean | null
  readonly resumed: boolean | null
  readonly uncertain: boolean | null
  readonly cost_usd: string | null
  readonly price_source: string | null
  readonly used: {
    readonly prompt_tokens: number
    readonly cached_tokens: number
    readonly completion_tokens: number
  } | null
}

export type CallsPage = {
  readonly data: readonly CallRow[]
  readonly next: string | null
  readonly searched_to: string | null
}

export type CallCounts = {
  readonly data: readonly { readonly at: string; readonly calls: number; readonly failed: number }[]
  readonly step_seconds: number
  readonly from: string
  readonly to: string
  readonly complete: boolean
}
