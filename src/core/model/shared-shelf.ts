import type { CallSignal } from './call-signal.ts'

/**
 * What all processes of one gateway share of answers: texts under keys, and answers in the making. Each method is one
 * atomic step, also across processes. Texts and answers have keys of their own: one of each may have the same.
 * It has no bounds of its own but time: who puts something there counts what they put, and takes out the oldest.
 */
export interface SharedShelf {
  /** Undefined where there is none, or its time is over. */
  get(key: string): Promise<string | undefined>
  /** In place of what was there. */
  put(key: string, text: string, ttlMs: number): Promise<void>
  /** False where there was none. */
  remove(key: string): Promise<boolean>

  /** Makes the answer of this key the owner's to make, unless one is being made or kept: then it says which. */
  begin(key: string, beginning: Beginning): Promise<Begun>
  /** Adds to an answer. False, and no change, where it is not this owner's to make, or no longer. */
  append(key: string, owner: string, pieces: readonly string[]): Promise<boolean>
  /**
   * The answer is whole: it is kept for so long, or dropped. Who follows a dropped one still gets all of it, but nobody
   * finds it any more. False as `append` says it.
   */
  finish(key: string, owner: string, end: AnswerEnd): Promise<boolean>
  /**
   * The pieces of an answer, from the first on, as they come; pieces that are there already may come joined. It ends with
   * the answer. Rejects with a Failure, `interrupted`, where there is no such answer, or nobody makes it any more; and
   * with the signal's reason as soon as it aborts.
   */
  follow(key: string, signal: CallSignal): AsyncIterable<string>
  /** Takes out an answer that this owner has finished: who keeps answers here keeps as many as there is room for. */
  forget(key: string, owner: string): Promise<void>
  /** Takes out every answer that this owner has begun and not finished. Who follows one is told. */
  abandon(owner: string): Promise<void>
}

export type Beginning = {
  /** The process that makes it. */
  readonly owner: string
  /** What is asked for: who asks for something else under the same key is to be refused. */
  readonly fingerprint: string
  /** How long it may take to make. After that it is as if its owner had abandoned it. */
  readonly ttlMs: number
}

export type Begun =
  | { readonly isYours: true }
  /** `isWhole`: it is kept; else it is in the making. */
  | { readonly isYours: false; readonly fingerprint: string; readonly isWhole: boolean }

export type AnswerEnd = { readonly keepMs: number } | 'drop'
