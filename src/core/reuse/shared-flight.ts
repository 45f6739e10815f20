import type { CallSignal } from '../model/call-signal.ts'
import { asFailure, type FailureKind } from '../model/failure.ts'
import { parseJson } from '../model/json/json.ts'
import type { SharedCache } from '../model/shared/cache.ts'
import { type PackedFailure, packFailure, unpackFailure } from './answer-pieces.ts'
import { type CachedReply, type PackedReply, packReply, unpackReply } from './kept-reply.ts'

/** Single flight across processes: identical concurrent requests are executed once. */
export interface SharedFlight {
  /**
   * The answer of the process that is working on it; undefined: make the answer here, and call `publish` with it.
   * Rejects with that process's failure.
   */
  join(key: string, signal: CallSignal): Promise<CachedReply | undefined>
  publish(key: string, outcome: CachedReply | { readonly thrown: unknown }): void
}

export type SharedFlightParts = {
  readonly cache: SharedCache
  /** This process. */
  readonly owner: string
  /** The longest time that making an answer may take. */
  readonly makingMs: number
}

export function createSharedFlight({ cache, owner, makingMs }: SharedFlightParts): SharedFlight {
  return {
    async join(key, signal) {
      const entryKey = cacheKey(key)
      const begun = await cache.begin(entryKey, { owner, fingerprint: key, ttlMs: makingMs }).catch(ignored)
      if (begun === undefined || begun.isYours) return undefined
      let text = ''
      try {
        for await (const piece of cache.follow(entryKey, signal)) text += piece
      } catch {
        signal.throwIfAborted()
        // The process that was making it has died: each continues on its own.
      }
      return text === '' ? undefined : resultIn(text)
    },
    publish(key, outcome) {
      const pieces = piecesOf(outcome)
      const entryKey = cacheKey(key)
      const end = async () => {
        if (pieces.length > 0) await cache.append(entryKey, owner, pieces)
        await cache.finish(entryKey, owner, 'drop')
      }
      end().catch(ignored)
    },
  }
}

function cacheKey(key: string): string {
  return `flight:${key}`
}

type Published = { readonly reply: PackedReply } | { readonly failure: PackedFailure }

/** Empty for failures that concern only this process and its callers, such as a caller that left. */
function piecesOf(outcome: CachedReply | { readonly thrown: unknown }): readonly string[] {
  if (!('thrown' in outcome)) return [JSON.stringify({ reply: packReply(outcome) } satisfies Published)]
  const failure = asFailure(outcome.thrown)
  if (privateFailures.has(failure.kind)) return []
  return [JSON.stringify({ failure: packFailure(failure) } satisfies Published)]
}

const privateFailures: ReadonlySet<FailureKind> = new Set([
  'caller_left',
  'draining',
  'internal',
  'superseded',
])

function resultIn(text: string): CachedReply {
  // `piecesOf` has written it.
  const published = parseJson(text) as unknown as Published
  if ('failure' in published) throw unpackFailure(published.failure)
  return unpackReply(published.reply)
}

/** The shared cache reports itself that it is unavailable. */
function ignored(): undefined {}
