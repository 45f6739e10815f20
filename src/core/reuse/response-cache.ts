import type { Call, Choice, Chunk, Reply } from '../model/call.ts'
import { parseJson } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'
import { createLruMap } from '../model/lru-map.ts'
import type { Clock } from '../model/ports.ts'
import type { Baseline } from '../model/record/record.ts'
import type { Usage } from '../model/terms.ts'
import { isDeterministic } from './fingerprint.ts'

/** Whole answers by the fingerprint of the call they answered, in memory, bounded in number, size and age. */
export interface ResponseCache {
  /** Whether this call may be answered from here, and its answer be kept. */
  accepts(call: Call): boolean
  /** What was kept under this key: a copy of the taker's own. Counts a hit or a miss. */
  get(key: string): CachedReply | undefined
  /**
   * Keeps an answer for its owner, in place of one that was there. False when it is not fit to be given again: a choice is
   * without an end, was filtered, or was cut within a tool call; or when it is too big.
   */
  put(key: string, answer: CachedReply, owner?: string): boolean
  counts(): CacheCounts
}

/** An answer, where it was made, and what it cost; undefined when that is not known. */
export type CachedReply = {
  readonly reply: Reply
  readonly deployment: string
  readonly costNanoUsd: number | undefined
  /** What its saving was measured against. */
  readonly baseline: Baseline | undefined
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

export function createResponseCache(
  { ttlMs, maxEntries, maxBytes, everyCall }: ResponseCacheSettings,
  clock: Pick<Clock, 'now'>,
): ResponseCache {
  const counts = { hits: 0, misses: 0, evictions: 0, expiries: 0, savedNanoUsd: 0, unpricedHits: 0 }
  const entries = createLruMap<Entry>({ maxEntries, maxBytes }, () => counts.evictions++)
  return {
    accepts: (call) => everyCall || isDeterministic(call),
    get(key) {
      const entry = entries.get(key)
      if (entry === undefined || clock.now() >= entry.expiresAt) {
        if (entries.delete(key)) counts.expiries++
        counts.misses++
        return undefined
      }
      counts.hits++
      if (entry.costNanoUsd === undefined) counts.unpricedHits++
      else counts.savedNanoUsd += entry.costNanoUsd
      return unpacked(entry)
    },
    put(key, answer, owner = '') {
      if (!isComplete(answer.reply)) return false
      const entry = packed(answer, clock.now() + ttlMs)
      return entries.set(key, entry, { owner, bytes: bytesOf(key, entry) })
    },
    counts: () => ({ ...counts, entries: entries.size, bytes: entries.bytes }),
  }
}

/** An answer as text: a reader cannot change what the next one gets, and its size is known. */
type Entry = {
  readonly chunkText: string
  readonly usageText: string
  readonly deployment: string
  readonly costNanoUsd: number | undefined
  readonly baseline: Baseline | undefined
  readonly expiresAt: number
}

function packed({ reply, deployment, costNanoUsd, baseline }: CachedReply, expiresAt: number): Entry {
  const { chunk, usage } = reply
  return {
    chunkText: chunk.text,
    usageText: JSON.stringify(usage),
    deployment,
    costNanoUsd,
    baseline,
    expiresAt,
  }
}

function bytesOf(key: string, { chunkText, usageText }: Entry): number {
  return entryBytes + 2 * (key.length + chunkText.length + usageText.length)
}

/** What an entry takes besides its texts, about; a character takes two bytes at most. */
const entryBytes = 256

function unpacked(entry: Entry): CachedReply {
  const { chunkText, usageText, deployment, costNanoUsd, baseline } = entry
  const reply: Reply = {
    // The texts were made from just these types.
    chunk: JsonText.read(parseJson(chunkText) as Chunk, chunkText),
    usage: parseJson(usageText) as Usage,
  }
  return { reply, deployment, costNanoUsd, baseline }
}

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
