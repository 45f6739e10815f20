import type { Answer, Bursts } from '../attempt/attempt.ts'
import type { Choice, Delta, Message } from '../model/call.ts'
import type { CallSignal } from '../model/call-signal.ts'
import { asFailure, type Failure } from '../model/failure.ts'
import { JsonText } from '../model/json/json-text.ts'
import { isVisible } from '../model/visible.ts'
import { type ChunkIdentity, identityOf } from './fan-out.ts'

export type ContinuedParts = {
  readonly first: Answer
  /** The caller's signal: once it has aborted, nothing is continued. */
  readonly signal: CallSignal
  /**
   * Continues the answer at another deployment, after `said`; undefined if there is no other, or none that can. Rejects
   * with a Failure when all failed.
   */
  readonly resume: (broken: Answer, said: string) => Promise<Answer | undefined>
}

/**
 * The stream of an answer that is continued elsewhere when its upstream breaks off: one id, one role, no repeated text.
 * If it cannot be continued, it rejects with the first upstream's Failure.
 */
export function continued(parts: ContinuedParts): AsyncIterableIterator<readonly Delta[], undefined> {
  return new Continued(parts)
}

/** A hand-written iterator without a generator's promises: there is one burst per token. */
class Continued implements AsyncIterableIterator<readonly Delta[], undefined> {
  readonly #parts: ContinuedParts
  #said: string[] = []
  #saidLength = 0
  #answer: Answer
  #bursts: AsyncIterator<readonly Delta[], undefined>
  #identity: ChunkIdentity | undefined
  #isResumed = false
  /** It contains something after which an answer cannot be continued. */
  #isBeyond = false

  constructor(parts: ContinuedParts) {
    this.#parts = parts
    this.#answer = parts.first
    this.#bursts = iteratorOf(parts.first.bursts)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<readonly Delta[], undefined>> {
    return this.#bursts.next().then(this.#pass, this.#goOn)
  }

  async return(): Promise<IteratorResult<readonly Delta[], undefined>> {
    await this.#bursts.return?.()
    return { done: true, value: undefined }
  }

  readonly #pass = (
    step: IteratorResult<readonly Delta[], undefined>,
  ): IteratorResult<readonly Delta[], undefined> | Promise<IteratorResult<readonly Delta[], undefined>> => {
    if (step.done === true) return step
    const deltas = this.#isResumed ? this.#joined(step.value) : step.value
    if (deltas.length === 0) return this.next()
    for (const delta of deltas) this.#note(delta)
    return { done: false, value: deltas }
  }

  readonly #goOn = async (thrown: unknown): Promise<IteratorResult<readonly Delta[], undefined>> => {
    const failure = asFailure(thrown)
    const said = this.#said.join('')
    if (this.#isBeyond || said === '' || this.#parts.signal.aborted || !mayGoOn(failure)) throw thrown
    const answer = await this.#parts.resume(this.#answer, said).catch((reason: unknown) => {
      if (this.#parts.signal.aborted) throw reason
      return undefined
    })
    // The caller needs the original failure; failures of the continuation are in the record.
    if (answer === undefined) throw thrown
    this.#answer = answer
    this.#bursts = iteratorOf(answer.bursts)
    this.#isResumed = true
    return await this.next()
  }

  #note(delta: Delta): void {
    this.#identity ??= identityOf(delta)
    for (const choice of delta.value.choices) {
      const text = choice.text ?? choice.delta?.content
      if (text && !this.#isBeyond) {
        this.#said.push(text)
        this.#saidLength += text.length
      }
      this.#isBeyond ||= choice.finish_reason !== null || isMoreThanText(choice.delta)
    }
    if (this.#saidLength > mostCharacters) this.#isBeyond = true
    if (this.#isBeyond) this.#said = []
  }

  /** The other upstream's deltas, as if the first one had continued. */
  #joined(deltas: readonly Delta[]): readonly Delta[] {
    const identity = this.#identity
    const joined = deltas.map(({ value: chunk }): Delta => {
      const choices = chunk.choices.map(withoutOpening)
      return JsonText.of({ ...chunk, ...identity, choices })
    })
    return joined.filter(isVisible)
  }
}

/** Longer answers do not fit into a continuation prompt. */
const mostCharacters = 4 * 1024 * 1024

function iteratorOf(bursts: Bursts): AsyncIterator<readonly Delta[], undefined> {
  if (Symbol.asyncIterator in bursts) return bursts[Symbol.asyncIterator]()
  return replay(bursts)
}

async function* replay(
  bursts: readonly (readonly Delta[])[],
): AsyncGenerator<readonly Delta[], undefined, undefined> {
  yield* bursts
  return undefined
}

/** Failures caused by the caller or the gateway are not fixed by another upstream. */
function mayGoOn({ blame }: Failure): boolean {
  return blame === 'upstream' || blame === 'load'
}

function isMoreThanText(delta: Message | undefined): boolean {
  if (delta === undefined) return false
  return Boolean(delta.tool_calls) || Boolean(delta['function_call']) || Boolean(delta['refusal'])
}

/** The role was sent already, and reasoning after the answer has begun is out of place. */
function withoutOpening(choice: Choice): Choice {
  if (choice.delta === undefined) return choice
  const { role: _role, reasoning_content: _reasoning, ...delta } = choice.delta
  return { ...choice, delta }
}
