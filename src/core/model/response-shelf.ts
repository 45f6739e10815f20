import type { JsonObject } from './json/json.ts'

/**
 * Where the responses are kept that callers may come back to. Each is visible only to the tenant it was made for. What
 * nobody uses for a while is forgotten, and where something has to make room, it is what the tenant who holds most has
 * not used for longest. It may be a database: what cannot be asked for rejects.
 */
export interface ResponseShelf {
  /** In place of the one with its id; one that is too large is not kept. */
  put(tenant: string, response: PackedResponse): void | Promise<void>
  find(tenant: string, id: string): PackedResponse | undefined | Promise<PackedResponse | undefined>
  recall(tenant: string, wanted: WantedResponses): RecalledResponses | Promise<RecalledResponses>
  /** False where there was none. */
  remove(tenant: string, id: string): boolean | Promise<boolean>
}

/** As text: its size is known, and thousands of small objects would keep the garbage collector busy. */
export type PackedResponse = {
  readonly id: string
  /** The response that it went on from. */
  readonly previousId: string | undefined
  readonly text: string
  /** Of its input and its output. */
  readonly itemIds: readonly string[]
  /** Of memory, counted so that it is rather less than said. */
  readonly bytes: number
  /** What it unpacks to, its members and containers: a whole number, as `bytes` is. */
  readonly nodes: number
}

export type WantedResponses = {
  /** The last of a conversation. */
  readonly id: string | undefined
  /** Items of which the responses are wanted that hold them. */
  readonly itemIds: readonly string[]
  /** Of each of both there comes no more than this, and one response. */
  readonly bytes: number
  readonly nodes: number
}

export type RecalledResponses = {
  /** The last first. */
  readonly conversation: readonly PackedResponse[]
  /** The response that one of these goes on from, and that is not there. */
  readonly missing: string | undefined
  readonly holders: readonly PackedResponse[]
}

/** What a request refers to of what was kept. */
export interface Recollection {
  /**
   * What was said up to the response and in it, the first item first. Throws Failure `invalid_request` when it is not
   * there, or one that it went on from is not, and `context_length` when it is more than may be put together.
   */
  conversation(): readonly JsonObject[]
  /** The items that have these ids, by id. Throws Failure `context_length` as `conversation` does. */
  findItems(ids: ReadonlySet<string>): ReadonlyMap<string, JsonObject>
}
