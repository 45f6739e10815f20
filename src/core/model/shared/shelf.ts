import type { CallSignal } from '../call-signal.ts'

/**
 * Answers shared by all processes of one gateway: texts under keys, and answers in the making. Each method is one
 * atomic step, also across processes. Texts and answers have separate key spaces. Only time limits it: the process that
 * puts something there counts it, and removes the oldest.
 */
export interface SharedShelf {
  /** Undefined if there is none, or it has expired. */
  get(key: string): Promise<string | undefined>
  /** Replaces what was there. */
  put(key: string, text: string, ttlMs: number): Promise<void>
  /** False if there was none. */
  remove(key: string): Promise<boolean>

  /**
   * Makes the caller the owner of the answer under this key, unless one is in the making or kept: then it gives that
   * one's fingerprint.
   */
  begin(key: string, beginning: Beginning): Promise<Begun>
  /** Appends to an answer. False, without a change, if this owner is not or no longer making it. */
  append(key: string, owner: string, pieces: readonly string[]): Promise<boolean>
  /**
   * Completes the answer: it is kept for that long, or dropped. Followers of a dropped one still get all of it, but
   * nobody finds it any more. Returns false like `append`.
   */
  finish(key: string, owner: string, end: AnswerEnd): Promise<boolean>
  /**
   * The pieces of an answer from the first on, as they come; earlier pieces may be joined. It ends with the answer.
   * Rejects with the Failure `interrupted` if there is no such answer, or its maker is gone; and with the signal's
   * reason as soon as it aborts.
   */
  follow(key: string, signal: CallSignal): AsyncIterable<string>
  /** Removes an answer that this owner has completed: the one who stores answers limits how many. */
  forget(key: string, owner: string): Promise<void>
  /** Removes every answer that this owner has begun and not completed. Followers are notified. */
  abandon(owner: string): Promise<void>
}

export type Beginning = {
  /** The process that makes it. */
  readonly owner: string
  /** The fingerprint of the request: another request under the same key must be refused. */
  readonly fingerprint: string
  /** The time allowed to make it. After that its owner counts as gone. */
  readonly ttlMs: number
}

export type Begun =
  | { readonly isYours: true }
  /** `isWhole`: it is kept; else it is in the making. */
  | { readonly isYours: false; readonly fingerprint: string; readonly isWhole: boolean }

export type AnswerEnd = { readonly keepMs: number } | 'drop'
