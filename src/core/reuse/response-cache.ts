import type { Call, Choice, Reply } from '../model/call.ts'
import { createLruMap } from '../model/lru-map.ts'
import type { Clock } from '../model/ports.ts'
import type { SharedCache } from '../model/shared/cache.ts'
import { isDeterministic } from './fingerprint.ts'
import { type CachedReply, type PackedReply, packedReplyIn, packReply, unpackReply } from './kept-reply.ts'

/** Whole answers by the fingerprint of their call, in memory, limited in number, size and age. */
export interface ResponseCache {
  /** Whether this call may be answered from the cache, and its answer be cached. */
  accepts(call: Call): boolean
  /** The cached answer under this key, as a copy. Counts a hit or a miss. */
  get(key: string): CachedReply | undefined | Promise<CachedReply | undefined>
  /**
   * Caches an answer for its owner, and replaces an earlier one. False if it cannot be replayed (a choice has no end,
   * was filtered, or was cut within a tool call) or is too large.
   */
  put(key: string, answer: CachedReply, owner?: string): boolean
  counts(): CacheCounts
}

export type CacheCounts = {
  readonly hits: number
  readonly misses: number
  /** Answers that were evicted. */
  readonly evictions: number
  /** Answers that had expired; these count as misses too. */
  readonly expiries: number
  /** The original cost of the hits. */
  readonly savedNanoUsd: number
  /** Hits with an unknown saving. */
  readonly unpricedHits: number
  readonly entries: number
  readonly bytes: number
}

export type ResponseCacheSettings = {
  /** Counted from when the answer was cached, regardless of use. */
  readonly ttlMs: number
  readonly maxEntries: number
  /** Limit of memory. Sizes are estimated on the high side. */
  readonly maxBytes: number
  /** False: only deterministic calls. */
  readonly everyCall: boolean
}

/**
 * With a shared cache, all processes find the answers of each; while it is unavailable, each process has only its own.
 */
export function createResponseCache(
  { ttlMs, maxEntries, maxBytes, everyCall }: ResponseCacheSettings,
  clock: Pick<Clock, 'now'>,
  sharedCache?: SharedCache,
): ResponseCache {
  const counts = { hits: 0, misses: 0, evictions: 0, expiries: 0, savedNanoUsd: 0, unpricedHits: 0 }
  const entries = createLruMap<Entry>({ maxEntries, maxBytes }, (_, key) => {
    counts.evictions++
    sharedCache?.remove(cacheKey(key)).catch(ignored)
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
      if (sharedCache === undefined) return found(undefined)
      return sharedCache.get(cacheKey(key)).then(
        (text) => found(text === undefined ? undefined : packedReplyIn(text)),
        () => found(undefined),
      )
    },
    put(key, answer, owner = '') {
      if (!isComplete(answer.reply)) return false
      const packed = packReply(answer)
      const bytes = entryBytes + 2 * (key.length + packed.chunkText.length + packed.usageText.length)
      const isKept = entries.set(key, { ...packed, expiresAt: clock.now() + ttlMs }, { owner, bytes })
      if (isKept) sharedCache?.put(cacheKey(key), JSON.stringify(packed), ttlMs).catch(ignored)
      return isKept
    },
    counts: () => ({ ...counts, entries: entries.size, bytes: entries.bytes }),
  }
}

type Entry = PackedReply & { readonly expiresAt: number }

/** The approximate size of an entry without its texts; a character takes two bytes at most. */
const entryBytes = 256

function cacheKey(key: string): string {
  return `cache:${key}`
}

/** The shared cache reports itself that it is unavailable. */
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
