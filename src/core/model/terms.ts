/** What a call asks for: a continuation of text, or the next message of a chat. */
export type Kind = 'text' | 'chat'

/** Answered whole, without generated text: embeddings, or reranked documents. */
export type RelayKind = 'embeddings' | 'rerank'

/** How a route's deployments are ordered. */
export type StrategyName = 'fallback' | 'first' | 'weighted' | 'cheapest' | 'fastest' | 'balanced' | 'value'

/** Token counts as they go to the caller: whole numbers, none negative, `total` always the sum. */
export type Usage = {
  prompt_tokens: number
  completion_tokens: number
  total_tokens: number
  [extra: string]: unknown
}

/** A tenant as named in the record of a call. */
export type TenantNote = {
  /** The key's identity. Undefined: the call had no key. */
  readonly key: string | undefined
  readonly keyName: string | undefined
  readonly team: string | undefined
  readonly tags: readonly string[]
}

/** The tightest of a call's limits, for its answer's headers. */
export type RateHeadroom = {
  readonly requests: Headroom | undefined
  readonly tokens: Headroom | undefined
}

export type Headroom = { readonly limit: number; readonly remaining: number; readonly resetMs: number }
