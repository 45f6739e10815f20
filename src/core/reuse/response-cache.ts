import type { Call, Choice, Reply } from '../model/call.ts'
import { createLruMap } from '../model/lru-map.ts'
import type { Clock } from '../model/ports.ts'
import type { SharedShelf } from '../model/shared/shelf.ts'
import { isDeterministic } from './fingerprint.ts'
import { type CachedReply, type PackedReply, packedReplyIn, packReply, unpackReply } from './kept-reply.ts'

/** Whole answers by the fingerprint of their call, in memory, limited in number, size and age. */
export interface ResponseCache {
  /** Whether this call may be answered from the cache, and its answer be cached. */
  accepts(call: Call): boolean
  /** The cached answer under this key, as a copy. Counts a hit or a miss. */
  get(key: string): CachedReply | undefined | Promise<CachedReply | undefined>
  /**
   * Caches an answer for its owner, and replaces an earlier one. False if it cannot be replayed: a choice has no end,
   * was filtered, or was cut within a tool call; or if it is too big.
   */
  put(key: string, answer: CachedReply, owner?: string): boolean
  counts(): CacheCounts
}

export type CacheCounts = {
  readonly hits: number
  readonly misses: number
  /** Answers that were evicted. */
  readonly evictions: number
  /** Answers that had expired: misses as well. */
  readonly expiries: number
  /** The original cost of the hits. */
  readonly savedNanoUsd: number
  /** Hits with an unknown saving. */
  readonly unpricedHits: number
  readonly entries: number
  readonly bytes: number
}

export type ResponseCacheSettings = {
  /** Since it was cached, regardless of use. */
  readonly ttlMs: number
  readonly maxEntries: number
  /** Of memory; the count errs on the low side of the limit. */
  readonly maxBytes: number
  /** False: only deterministic calls. */
  readonly everyCall: boolean
}

/** With a shelf, answers that any process caches are found by all; while it is away, each has its own. */
export function createResponseCache(
  { ttlMs, maxEntries, maxBytes, everyCall }: ResponseCacheSettings,
  clock: Pick<Clock, 'now'>,
  shelf?: SharedShelf,
): ResponseCache {
  const counts = { hits: 0, misses: 0, evictions: 0, expiries: 0, savedNanoUsd: 0, unpricedHits: 0 }
  const entries = createLruMap<Entry>({ maxEntries, maxBytes }, (_, key) => {
    counts.evictions++
    shelf?.remove(shelfKey(key)).catch(ignored)
  })
  const found = (packed: PackedReply | undefined) => {
    if (packed === undefined) {
      counts.misses++
      return undefined
    }
    counts.hits++
    if (packed.costNanoUsd === undefined) counts.unpricedHits++
    else counts.savedNanoUsd += packed.costNanoUsd
    return unpackReply(packed)
  }
  return {
    accepts: (call) => everyCall || isDeterministic(call),
    get(key) {
      const entry = entries.get(key)
      if (entry !== undefined && clock.now() < entry.expiresAt) return found(entry)
      if (entries.delete(key)) counts.expiries++
      if (shelf === undefined) return found(undefined)
      return shelf.get(shelfKey(key)).then(
        (text) => found(text === undefined ? undefined : packedReplyIn(text)),
        () => found(undefined),
      )
    },
    put(key, answer, owner = '') {
      if (!isComplete(answer.reply)) return false
      const packed = packReply(answer)
      const bytes = entryBytes + 2 * (key.length + packed.chunkText.length + packed.usageText.length)
      const isKept = entries.set(key, { ...packed, expiresAt: clock.now() + ttlMs }, { owner, bytes })
      if (isKept) shelf?.put(shelfKey(key), JSON.stringify(packed), ttlMs).catch(ignored)
      return isKept
    },
    counts: () => ({ ...counts, entries: entries.size, bytes: entries.bytes }),
  }
}

type Entry = PackedReply & { readonly expiresAt: number }

/** The approximate size of an entry without its texts; a character takes two bytes at most. */
const entryBytes = 256

function shelfKey(key: string): string {
  return `cache:${key}`
}

/** The shelf is away: it reports that itself. */
function ignored(): undefined {}

function isComplete({ chunk }: Reply): boolean {
  const { object, choices } = chunk.value
  return object !== 'chat.completion.chunk' && choices.length > 0 && choices.every(isEnded)
}

/** A filter may decide otherwise next time, or at another upstream. */
function isEnded({ finish_reason: reason, message }: Choice): boolean {
  if (reason === null || reason === 'content_filter') return false
  return (
    reason !== 'length' || (message?.tool_calls === undefined && message?.['function_call'] === undefined)
  )
}
