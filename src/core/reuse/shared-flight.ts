import type { CallSignal } from '../model/call-signal.ts'
import { asFailure, type FailureKind } from '../model/failure.ts'
import { parseJson } from '../model/json/json.ts'
import type { SharedShelf } from '../model/shared/shelf.ts'
import { type PackedFailure, packFailure, unpackFailure } from './answer-pieces.ts'
import { type CachedReply, type PackedReply, packReply, unpackReply } from './kept-reply.ts'

/** Lets processes with the same request share one piece of work. */
export interface SharedFlight {
  /**
   * The answer of the process that is working on it; undefined: make it here, and call `landed` with the result.
   * Rejects as that answer did.
   */
  board(key: string, signal: CallSignal): Promise<CachedReply | undefined>
  landed(key: string, outcome: CachedReply | { readonly thrown: unknown }): void
}

export type SharedFlightParts = {
  readonly shelf: SharedShelf
  /** This process. */
  readonly owner: string
  /** How long the longest answer may take to make. */
  readonly makingMs: number
}

export function createSharedFlight({ shelf, owner, makingMs }: SharedFlightParts): SharedFlight {
  return {
    async board(key, signal) {
      const place = shelfKey(key)
      const begun = await shelf.begin(place, { owner, fingerprint: key, ttlMs: makingMs }).catch(ignored)
      if (begun === undefined || begun.isYours) return undefined
      let text = ''
      try {
        for await (const piece of shelf.follow(place, signal)) text += piece
      } catch {
        signal.throwIfAborted()
        // The process that made it is gone: each continues on its own.
      }
      return text === '' ? undefined : landedIn(text)
    },
    landed(key, outcome) {
      const pieces = piecesOf(outcome)
      const place = shelfKey(key)
      const end = async () => {
        if (pieces.length > 0) await shelf.append(place, owner, pieces)
        await shelf.finish(place, owner, 'drop')
      }
      end().catch(ignored)
    },
  }
}

function shelfKey(key: string): string {
  return `flight:${key}`
}

type Landed = { readonly reply: PackedReply } | { readonly failure: PackedFailure }

/** None if its callers left: that is not an answer for others. */
function piecesOf(outcome: CachedReply | { readonly thrown: unknown }): readonly string[] {
  if (!('thrown' in outcome)) return [JSON.stringify({ reply: packReply(outcome) } satisfies Landed)]
  const failure = asFailure(outcome.thrown)
  if (ownEnds.has(failure.kind)) return []
  return [JSON.stringify({ failure: packFailure(failure) } satisfies Landed)]
}

const ownEnds: ReadonlySet<FailureKind> = new Set(['caller_left', 'draining', 'internal', 'superseded'])

function landedIn(text: string): CachedReply {
  // Written by `piecesOf`.
  const landed = parseJson(text) as unknown as Landed
  if ('failure' in landed) throw unpackFailure(landed.failure)
  return unpackReply(landed.reply)
}

/** The shelf is away: it reports that itself. */
function ignored(): undefined {}
