import { hash } from 'node:crypto'
import type { CallSignal } from '../model/call-signal.ts'
import { asFailure, Failure, type FailureKind } from '../model/failure.ts'
import { createLruMap, type LruMap } from '../model/lru-map.ts'
import type { Clock } from '../model/ports.ts'
import { createFairCapacity, type FairCapacity } from '../model/shared/fair-capacity.ts'
import {
  type AnswerReader,
  type AnswerWriter,
  createIdempotentAnswer,
  type IdempotentAnswer,
} from './idempotent-answer.ts'

/**
 * Answers by callers' idempotency keys: a repeated request is not executed again, but gets the same answer, kept in
 * memory with limits on number, size and age. Work continues when its caller leaves, because the caller may retry.
 */
export interface Idempotency {
  /**
   * The answer to a request under its key: kept, in progress, or started here with `perform`, which gets its own
   * signal. Throws `key_reused` for a key that was used with another request. `signal` aborts, with a Failure, when the
   * caller leaves.
   */
  answer(keyed: KeyedRequest, signal: CallSignal, perform: Perform): Answering | Promise<Answering>
  counts(): IdempotencyCounts
  /** Resolves when everything in progress now has ended. */
  ended(): Promise<void>
  /** Cancels everything in progress for this reason; resolves when it has ended. */
  close(failure: Failure): Promise<void>
  /** Cancels what is in progress for one tenant. */
  endOf(tenant: string, failure: Failure): void
}

/** Idempotency within this process. */
export interface LocalIdempotency extends Idempotency {
  answer(keyed: KeyedRequest, signal: CallSignal, perform: Perform): Answering
  /** The answer under a key, if it is kept or in progress here. Throws `key_reused`, or the signal's reason. */
  join(keyed: Digested, signal: CallSignal): Answering | undefined
  /** Starts an answer that this process does not have. */
  begin(keyed: Digested, signal: CallSignal, making: Making): Answering
}

/** One-way hashes of a key and its request. */
export type Digested = { readonly key: string; readonly owner: string; readonly fingerprint: string }

export type Making = {
  readonly perform: Perform
  /** Called at the end: whether the answer is kept; absent: it is. */
  readonly isKept?: () => boolean
  /** Another process makes it: without a reader here, the copy is dropped. */
  readonly isCopy?: boolean
}

export type KeyedRequest = {
  /** The tenant: the same key of two tenants is two keys. */
  readonly tenant: string
  /** A key may be used in each format independently. */
  readonly dialect: string
  readonly key: string
  /** Everything in the request that the answer depends on. */
  readonly request: readonly unknown[]
}

/** Writes an answer. A rejection ends it as failed. */
export type Perform = (answer: AnswerWriter, signal: AbortSignal) => Promise<void>

export type Answering = {
  readonly reader: AnswerReader
  /** Resolves when the work started for this caller ends; undefined: it is another caller's work. */
  readonly work: Promise<void> | undefined
}

export type IdempotencyCounts = {
  readonly inFlight: number
  readonly kept: number
  /** Memory of both kinds. */
  readonly bytes: number
}

export type IdempotencySettings = {
  /** Counted from the end of an answer. */
  readonly ttlMs: number
  /** Limit of kept answers and those in progress, together. */
  readonly maxEntries: number
  /** Limit of memory. Sizes are estimated on the high side. */
  readonly maxBytes: number
}

/** `dropped` is called with the key of each kept answer that is evicted. */
export function createIdempotency(
  settings: IdempotencySettings,
  clock: Pick<Clock, 'now'>,
  dropped?: (key: string) => void,
): LocalIdempotency {
  const entries = new Entries(settings, clock, dropped)
  const running = new Map<Entry, Running>()
  const end = (entry: Entry, { isKept }: Making, failure: Failure | undefined) => {
    running.delete(entry)
    // First, so that a caller that sees a failed end finds the key free.
    if (isFinal(failure, entry.answer.hasBegun) && (isKept?.() ?? true)) entries.keep(entry)
    else entries.remove(entry)
    entry.answer.close(failure)
  }
  const local: LocalIdempotency = {
    answer(keyed, signal, perform) {
      signal.throwIfAborted()
      const digested = digestOf(keyed)
      return local.join(digested, signal) ?? local.begin(digested, signal, { perform })
    },
    join({ key, owner, fingerprint }, signal) {
      signal.throwIfAborted()
      const known = entries.find(key, owner)
      if (known === undefined) return undefined
      if (known.fingerprint !== fingerprint) throw keyReused()
      return { reader: known.answer.join(signal), work: undefined }
    },
    begin({ key, owner, fingerprint }, signal, making) {
      const abort = new AbortController()
      const answer = createIdempotentAnswer({
        keep: (characters) => entries.grow(entry, pieceBytes + 2 * characters),
        abandoned(reason) {
          if (making.isCopy) entries.remove(entry)
          // Without its key, no one can request it again.
          if (!entries.holds(entry)) abort.abort(reason)
        },
      })
      const entry: Entry = { key, owner, fingerprint, answer, bytes: entryBytes, expiresAt: 0 }
      entries.add(entry)
      const reader = answer.join(signal)
      const work = Promise.try(making.perform, answer, abort.signal).then(
        () => end(entry, making, undefined),
        (thrown) => end(entry, making, asFailure(thrown)),
      )
      running.set(entry, { abort, work })
      return { reader, work }
    },
    counts: () => entries.counts(),
    ended: () => allSettled(running),
    close(failure) {
      const ended = allSettled(running)
      for (const { abort } of running.values()) abort.abort(failure)
      return ended
    },
    endOf(owner, failure) {
      for (const [entry, { abort }] of running) if (entry.owner === owner) abort.abort(failure)
    },
  }
  return local
}

/** A one-way hash of a credential or a prompt. */
export function digestOf({ tenant, dialect, key, request }: KeyedRequest): Digested {
  return { key: digest([tenant, dialect, key]), owner: tenant, fingerprint: digest(request) }
}

/**
 * Whether an ended answer is replayed: a complete one, or an upstream's rejection of the request itself, which a
 * repetition would only get, and pay for, again.
 */
export function isFinal(failure: Failure | undefined, hasBegun: boolean): boolean {
  return failure === undefined || (lastWords.has(failure.kind) && !hasBegun)
}

const lastWords: ReadonlySet<FailureKind> = new Set(['rejected', 'context_length', 'content_filtered'])

export function keyReused(): Failure {
  return new Failure(
    'key_reused',
    'This Idempotency-Key was already used with another request. A new request needs a new key.',
    { param: 'Idempotency-Key' },
  )
}

type Entry = {
  readonly key: string
  readonly owner: string
  readonly fingerprint: string
  readonly answer: IdempotentAnswer
  bytes: number
  expiresAt: number
}

type Running = { readonly abort: AbortController; readonly work: Promise<void> }

async function allSettled(running: ReadonlyMap<Entry, Running>): Promise<void> {
  await Promise.all(running.values().map(({ work }) => work))
}

/** The approximate size of an entry without its text, and of a piece of text without its characters. */
const entryBytes = 1024
const pieceBytes = 64

function digest(parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url')
}

/** Entries by key, within limits. Kept ones can be evicted; those in progress are limited to their owner's share. */
class Entries {
  readonly #ttlMs: number
  readonly #clock: Pick<Clock, 'now'>
  /** Pinned while in progress. The others are in the order in which they ended. */
  readonly #entries: LruMap<Entry>
  /** The capacity for entries in progress, which cannot be evicted. */
  readonly #inProgress: { readonly entries: FairCapacity; readonly bytes: FairCapacity }

  constructor(
    { ttlMs, maxEntries, maxBytes }: IdempotencySettings,
    clock: Pick<Clock, 'now'>,
    dropped: ((key: string) => void) | undefined,
  ) {
    this.#ttlMs = ttlMs
    this.#clock = clock
    this.#entries = createLruMap({ maxEntries, maxBytes }, dropped && (({ key }) => dropped(key)))
    this.#inProgress = {
      entries: createFairCapacity(() => maxEntries),
      bytes: createFairCapacity(() => maxBytes),
    }
  }

  find(key: string, owner: string): Entry | undefined {
    let oldest = this.#entries.oldest(owner)
    while (oldest !== undefined && this.#clock.now() >= oldest.expiresAt) {
      this.#entries.delete(oldest.key)
      oldest = this.#entries.oldest(owner)
    }
    return this.#entries.peek(key)
  }

  holds(entry: Entry): boolean {
    return this.#entries.peek(entry.key) === entry
  }

  /** Adds an entry in progress. Without room it is not added: its work runs without a key. */
  add(entry: Entry): void {
    const { key, owner, bytes } = entry
    if (!this.#inProgress.entries.hasRoomFor(owner, 1)) return
    if (!this.#entries.set(key, entry, { owner, bytes, isPinned: true })) return
    this.#inProgress.entries.take(owner, 1)
    this.#inProgress.bytes.take(owner, bytes)
  }

  /** False if there is no room for that: the entry has lost its key. */
  grow(entry: Entry, bytes: number): boolean {
    if (!this.holds(entry)) return false
    const hasRoom =
      this.#inProgress.bytes.hasRoomFor(entry.owner, bytes) && this.#entries.grow(entry.key, bytes)
    if (hasRoom) {
      entry.bytes += bytes
      this.#inProgress.bytes.take(entry.owner, bytes)
    } else {
      this.#entries.delete(entry.key)
      this.#endProgress(entry)
    }
    return hasRoom
  }

  /** Keeps an ended entry for the configured time. */
  keep(entry: Entry): void {
    if (!this.holds(entry)) return
    entry.expiresAt = this.#clock.now() + this.#ttlMs
    this.#entries.unpin(entry.key)
    this.#endProgress(entry)
  }

  /** Removes an entry in progress. */
  remove(entry: Entry): void {
    if (!this.holds(entry)) return
    this.#entries.delete(entry.key)
    this.#endProgress(entry)
  }

  counts(): IdempotencyCounts {
    const { size, pinned, bytes } = this.#entries
    return { inFlight: pinned, kept: size - pinned, bytes }
  }

  /** Returns the capacity of an entry that is no longer in progress. */
  #endProgress({ owner, bytes }: Entry): void {
    this.#inProgress.entries.give(owner, 1)
    this.#inProgress.bytes.give(owner, bytes)
  }
}
