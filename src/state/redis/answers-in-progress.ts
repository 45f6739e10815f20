import type { AnswerEnd } from '../../core/model/shared/cache.ts'
import { RedisUnavailable } from './connection.ts'

/**
 * The answers that processes of this node make in Redis. What Redis has not confirmed when it becomes unavailable, and
 * what follows meanwhile, is sent after the reconnect, so that no follower waits for an answer that has ended.
 */
export interface AnswersInProgress {
  begin(key: string, owner: string): void
  has(key: string): boolean
  /** As in `SharedCache`; true also if it is sent later. */
  append(key: string, owner: string, text: string): Promise<boolean>
  /** As in `SharedCache`; true also if it is sent later. */
  finish(key: string, owner: string, end: AnswerEnd): Promise<boolean>
  /** This process has ended: its answers are not continued. */
  abandon(owner: string): void
  reconnected(): void
}

/** Steps in Redis. Each rejects with `RedisUnavailable` if its outcome is unknown. */
export type AnswerSteps = {
  /** `at` is the number of texts before this one. False if there are fewer: then the answer is lost. */
  readonly append: (key: string, owner: string, text: string, at: number | undefined) => Promise<boolean>
  /** `length` is the number of texts. False if there are fewer: then the answer is lost. */
  readonly finish: (
    key: string,
    owner: string,
    end: AnswerEnd,
    length: number | undefined,
  ) => Promise<boolean>
}

export function createAnswersInProgress(steps: AnswerSteps): AnswersInProgress {
  return new Answers(steps)
}

type Answer = {
  readonly owner: string
  /** How many texts Redis has confirmed. */
  length: number
  /** The texts after these, in order. */
  readonly unsent: string[]
  end: AnswerEnd | undefined
  /** What is added now waits for the texts before it. */
  isBehind: boolean
}

class Answers implements AnswersInProgress {
  readonly #steps: AnswerSteps
  readonly #answers = new Map<string, Answer>()

  constructor(steps: AnswerSteps) {
    this.#steps = steps
  }

  begin(key: string, owner: string): void {
    this.#answers.set(key, { owner, length: 0, unsent: [], end: undefined, isBehind: false })
  }

  has(key: string): boolean {
    return this.#answers.has(key)
  }

  async append(key: string, owner: string, text: string): Promise<boolean> {
    const answer = this.#of(key, owner)
    if (answer === undefined || text === '') {
      return await orFalse(this.#steps.append(key, owner, text, undefined))
    }
    const at = answer.length + answer.unsent.length
    answer.unsent.push(text)
    if (answer.isBehind) return true
    try {
      const isTaken = await this.#steps.append(key, owner, text, at)
      if (isTaken) noteSent(answer)
      else this.#forget(key, answer)
      return isTaken
    } catch (thrown) {
      return behind(answer, thrown)
    }
  }

  async finish(key: string, owner: string, end: AnswerEnd): Promise<boolean> {
    const answer = this.#of(key, owner)
    if (answer === undefined) return await orFalse(this.#steps.finish(key, owner, end, undefined))
    answer.end = end
    if (answer.isBehind) return true
    try {
      const isTaken = await this.#steps.finish(key, owner, end, answer.length + answer.unsent.length)
      this.#forget(key, answer)
      return isTaken
    } catch (thrown) {
      return behind(answer, thrown)
    }
  }

  abandon(owner: string): void {
    for (const [key, answer] of [...this.#answers]) if (answer.owner === owner) this.#forget(key, answer)
  }

  reconnected(): void {
    for (const [key, answer] of [...this.#answers]) if (answer.isBehind) void this.#catchUp(key, answer)
  }

  async #catchUp(key: string, answer: Answer): Promise<void> {
    const { owner, unsent } = answer
    try {
      while (unsent.length > 0) {
        const isTaken = await this.#steps.append(key, owner, unsent[0] ?? '', answer.length)
        if (!isTaken) return this.#forget(key, answer)
        noteSent(answer)
      }
      if (answer.end === undefined) answer.isBehind = false
      else {
        await this.#steps.finish(key, owner, answer.end, answer.length)
        this.#forget(key, answer)
      }
    } catch {
      // It is tried again after the next reconnect.
    }
  }

  #of(key: string, owner: string): Answer | undefined {
    const answer = this.#answers.get(key)
    return answer?.owner === owner ? answer : undefined
  }

  #forget(key: string, answer: Answer): void {
    if (this.#answers.get(key) === answer) this.#answers.delete(key)
  }
}

/** Redis answers in order, so the first unsent text is the one that it has confirmed. */
function noteSent(answer: Answer): void {
  answer.unsent.shift()
  answer.length++
}

function behind(answer: Answer, thrown: unknown): true {
  if (!(thrown instanceof RedisUnavailable)) throw thrown
  answer.isBehind = true
  return true
}

async function orFalse(step: Promise<boolean>): Promise<boolean> {
  try {
    return await step
  } catch (thrown) {
    if (thrown instanceof RedisUnavailable) return false
    throw thrown
  }
}
