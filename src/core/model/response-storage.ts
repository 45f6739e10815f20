import type { JsonObject } from './json/json.ts'

/**
 * Storage for responses that later requests may refer to. Each is visible only to its tenant. Responses expire when
 * unused. If the limits are reached, the least recently used response of the tenant with the largest share is evicted.
 * It may be a database: a method rejects if that is unavailable.
 */
export interface ResponseStorage {
  /** Replaces the response with the same id. A response that is too large is not kept. */
  put(tenant: string, response: PackedResponse): void | Promise<void>
  find(tenant: string, id: string): PackedResponse | undefined | Promise<PackedResponse | undefined>
  recall(tenant: string, wanted: WantedResponses): RecalledResponses | Promise<RecalledResponses>
  /** False if there was none. */
  remove(tenant: string, id: string): boolean | Promise<boolean>
}

/** As text: its size is known, and thousands of small objects would keep the garbage collector busy. */
export type PackedResponse = {
  readonly id: string
  /** The response that it continues. */
  readonly previousId: string | undefined
  readonly text: string
  /** The ids of the items of its input and its output. */
  readonly itemIds: readonly string[]
  /** Memory use, estimated on the high side. */
  readonly bytes: number
  /** The number of members and containers that it unpacks to. A whole number, like `bytes`. */
  readonly nodes: number
}

export type WantedResponses = {
  /** The last response of a conversation. */
  readonly id: string | undefined
  /** Items whose responses are wanted. */
  readonly itemIds: readonly string[]
  /** Limits for the conversation and for the holders, each of which may exceed them by one response. */
  readonly bytes: number
  readonly nodes: number
}

export type RecalledResponses = {
  /** The latest first. */
  readonly conversation: readonly PackedResponse[]
  /** A response that one of these continues, and that is missing. */
  readonly missing: string | undefined
  readonly holders: readonly PackedResponse[]
}

/** The stored items that a request refers to. */
export interface Recollection {
  /**
   * All items up to and including the response, in order. Throws Failure `invalid_request` if the response or one
   * before it is missing, and `context_length` if together they exceed the limits.
   */
  conversation(): readonly JsonObject[]
  /** The items that have these ids, by id. Throws Failure `context_length` as `conversation` does. */
  findItems(ids: ReadonlySet<string>): ReadonlyMap<string, JsonObject>
}
