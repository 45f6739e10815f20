import type { Answer, Bursts } from '../attempt/attempt.ts'
import type { Choice, Delta, Message } from '../model/call.ts'
import type { CallSignal } from '../model/call-signal.ts'
import { asFailure, type Failure } from '../model/failure.ts'
import { JsonText } from '../model/json/json-text.ts'
import { isVisible } from '../model/visible.ts'
import { type ChunkIdentity, identityOf } from './fan-out.ts'

export type ContinuedParts = {
  readonly first: Answer
  /** The caller's: once it has aborted, nothing goes on. */
  readonly signal: CallSignal
  /**
   * Has the rest of an answer begin elsewhere, after `said`; undefined where there is no other deployment, or none
   * who can go on. Rejects with a Failure when all failed.
   */
  readonly resume: (broken: Answer, said: string) => Promise<Answer | undefined>
}

/**
 * The stream of an answer that goes on elsewhere when its upstream breaks off: one id, one role, no word twice. Where
 * it cannot go on, it rejects with the first upstream's Failure.
 */
export function continued(parts: ContinuedParts): AsyncIterableIterator<readonly Delta[], undefined> {
  return new Continued(parts)
}

/** By hand, without a generator's own promises: there is a burst for every token. */
class Continued implements AsyncIterableIterator<readonly Delta[], undefined> {
  readonly #parts: ContinuedParts
  #said: string[] = []
  #saidLength = 0
  #answer: Answer
  #bursts: AsyncIterator<readonly Delta[], undefined>
  #identity: ChunkIdentity | undefined
  #isResumed = false
  /** Something was said that the rest of an answer cannot be asked for after. */
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
    // What the caller has to know is what broke; what came of trying to mend it is in the record.
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

  /** What another upstream says, as the one before would have gone on. */
  #joined(deltas: readonly Delta[]): readonly Delta[] {
    const identity = this.#identity
    const joined = deltas.map(({ value: chunk }): Delta => {
      const choices = chunk.choices.map(withoutOpening)
      return JsonText.of({ ...chunk, ...identity, choices })
    })
    return joined.filter(isVisible)
  }
}

/** No prompt takes up an answer that is longer than this. */
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

/** A caller's own fault, and the gateway's, are not mended by going on elsewhere. */
function mayGoOn({ blame }: Failure): boolean {
  return blame === 'upstream' || blame === 'load'
}

function isMoreThanText(delta: Message | undefined): boolean {
  if (delta === undefined) return false
  return Boolean(delta.tool_calls) || Boolean(delta['function_call']) || Boolean(delta['refusal'])
}

/** The role was told, and what was thought before the answer began is past. */
function withoutOpening(choice: Choice): Choice {
  if (choice.delta === undefined) return choice
  const { role: _role, reasoning_content: _reasoning, ...delta } = choice.delta
  return { ...choice, delta }
}
