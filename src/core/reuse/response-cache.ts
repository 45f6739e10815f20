import type { Call, Choice, Reply } from '../model/call.ts'
import { createLruMap } from '../model/lru-map.ts'
import type { Clock } from '../model/ports.ts'
import type { SharedShelf } from '../model/shared/shelf.ts'
import { isDeterministic } from './fingerprint.ts'
import { type CachedReply, type PackedReply, packedReplyIn, packReply, unpackReply } from './kept-reply.ts'

/** Whole answers by the fingerprint of the call they answered, in memory, bounded in number, size and age. */
export interface ResponseCache {
  /** Whether this call may be answered from here, and its answer be kept. */
  accepts(call: Call): boolean
  /** What was kept under this key: a copy of the taker's own. Counts a hit or a miss. */
  get(key: string): CachedReply | undefined | Promise<CachedReply | undefined>
  /**
   * Keeps an answer for its owner, in place of one that was there. False when it is not fit to be given again: a choice
   * is without an end, was filtered, or was cut within a tool call; or when it is too big.
   */
  put(key: string, answer: CachedReply, owner?: string): boolean
  counts(): CacheCounts
}

export type CacheCounts = {
  readonly hits: number
  readonly misses: number
  /** Answers that made room for others. */
  readonly evictions: number
  /** Answers that were found too old: misses as well. */
  readonly expiries: number
  /** What the hits had cost when they were made. */
  readonly savedNanoUsd: number
  /** Hits of which it is not known what they saved. */
  readonly unpricedHits: number
  readonly entries: number
  readonly bytes: number
}

export type ResponseCacheSettings = {
  /** From when it was kept, however often it was used. */
  readonly ttlMs: number
  readonly maxEntries: number
  /** Of memory, counted so that it is rather less than said. */
  readonly maxBytes: number
  /** False: calls alone whose answer should be the same every time. */
  readonly everyCall: boolean
}

/** With a shelf, what any process keeps is found by all; while it is away, each has what it kept itself. */
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

/** What an entry takes besides its texts, about; a character takes two bytes at most. */
const entryBytes = 256

function shelfKey(key: string): string {
  return `cache:${key}`
}

/** The shelf is away: it tells so itself. */
function ignored(): undefined {}

function isComplete({ chunk }: Reply): boolean {
  const { object, choices } = chunk.value
  return object !== 'chat.completion.chunk' && choices.length > 0 && choices.every(isEnded)
}

/** A filter may think otherwise the next time, or be another upstream's. */
function isEnded({ finish_reason: reason, message }: Choice): boolean {
  if (reason === null || reason === 'content_filter') return false
  return (
    reason !== 'length' || (message?.tool_calls === undefined && message?.['function_call'] === undefined)
  )
}
