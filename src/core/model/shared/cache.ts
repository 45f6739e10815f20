import type { CallSignal } from '../call-signal.ts'

/**
 * Answers shared by all processes of one gateway: finished texts, and answers that are still being made, each under a
 * key. Each method is one atomic step, also across processes. Texts and answers have separate key spaces. Entries are
 * limited only in age: the process that stores an entry counts it, and removes its oldest ones.
 */
export interface SharedCache {
  /** Undefined if there is none, or it has expired. */
  get(key: string): Promise<string | undefined>
  /** Replaces what was there. */
  put(key: string, text: string, ttlMs: number): Promise<void>
  /** False if there was none. */
  remove(key: string): Promise<boolean>

  /**
   * Makes the caller the owner of the answer under this key, unless one is being made or is kept: then it returns the
   * fingerprint of that one.
   */
  begin(key: string, beginning: Beginning): Promise<Begun>
  /** Appends to an answer. False, without a change, if this owner is not making it, or no longer. */
  append(key: string, owner: string, pieces: readonly string[]): Promise<boolean>
  /**
   * Completes the answer: it is kept for that long, or dropped. A dropped answer can no longer be found, but its
   * followers still get all of it. Returns false like `append`.
   */
  finish(key: string, owner: string, end: AnswerEnd): Promise<boolean>
  /**
   * The pieces of an answer from its beginning, as they arrive; earlier pieces may be joined. It ends with the answer.
   * Rejects with the Failure `interrupted` if there is no such answer or its owner has died, and with the signal's
   * reason as soon as it aborts.
   */
  follow(key: string, signal: CallSignal): AsyncIterable<string>
  /** Removes an answer that this owner has completed, to limit how many it keeps. */
  forget(key: string, owner: string): Promise<void>
  /** Removes every answer that this owner has begun and not completed. Followers are notified. */
  abandon(owner: string): Promise<void>
}

export type Beginning = {
  /** The process that makes the answer. */
  readonly owner: string
  /** The fingerprint of the request: another request under the same key must be refused. */
  readonly fingerprint: string
  /** The time allowed to make it. After that its owner counts as dead. */
  readonly ttlMs: number
}

export type Begun =
  | { readonly isYours: true }
  /** `isWhole`: it is complete and kept; else it is still being made. */
  | { readonly isYours: false; readonly fingerprint: string; readonly isWhole: boolean }

export type AnswerEnd = { readonly keepMs: number } | 'drop'
