import type { CallCost } from '../account/call-cost.ts'
import { createMeter, type Meter, type MeteredUsage } from '../account/meter.ts'
import { type Answer, attempt, type Bursts } from '../attempt/attempt.ts'
import type { AttemptParts } from '../attempt/open-attempt.ts'
import type { Call, Choice, Chunk, Delta, Message } from '../model/call.ts'
import type { CallSignal } from '../model/call-signal.ts'
import { asFailure, Failure } from '../model/failure.ts'
import { JsonText } from '../model/json/json-text.ts'
import type { Deployment, TokenCounter } from '../model/ports.ts'
import type { AttemptRecord, CallRecord } from '../model/record/record.ts'
import { addUsage } from '../model/usage/usage.ts'
import { isVisible } from '../model/visible.ts'
import type { Plan } from '../plan/router.ts'
import { type ChunkIdentity, identityOf } from './fan-out.ts'
import { remainingCall, tokensLeft } from './remainder.ts'

type ResumeParts = {
  readonly call: Call
  readonly plan: Plan
  /** The beginning of the answer, and its meter. */
  readonly first: Answer
  readonly meter: Meter
  readonly counter: TokenCounter
  readonly account: CallCost
  readonly record: CallRecord
  readonly signal: CallSignal
  /** The deadline has passed: nothing new is started. */
  readonly isOver: () => boolean
  /** Walks a plan, making each attempt with `make`. */
  readonly walk: (plan: Plan, make: (parts: AttemptParts) => Promise<Answer>) => Promise<Answer>
}

/** One stream over an answer and its continuations. */
type ResumableStream = {
  readonly bursts: Bursts
  /** The sum over all of them, each with its own prompt. */
  usage(): Promise<MeteredUsage>
}

/** Continues a stream elsewhere when it breaks off, as often as the plan has attempts left. */
export function resumableStream(parts: ResumeParts): ResumableStream {
  const { call, first, meter, record } = parts
  const segments: Segment[] = [{ answer: first, meter }]
  const broken = new Set<string>()
  return {
    bursts: continued({
      first,
      signal: parts.signal,
      async resume(answer, written) {
        broken.add(answer.deployment.id)
        if (parts.isOver()) return undefined
        const { usage, estimated } = await sumOf(segments)
        // By the upstreams' own counts no tokens are left: the answer had reached its limit.
        if (!estimated && (tokensLeft(call, usage.completion_tokens) ?? 1) <= 0) return ended(answer, call)
        const able = (deployment: Deployment) =>
          remainingCall(call, written, usage.completion_tokens, deployment) !== undefined
        const plan = deploymentsLeft(parts.plan, record.attempts, broken).filter(able)
        const [next, ...others] = plan
        if (next === undefined) return undefined
        record.flags.add('continued')
        return await parts.walk([next, ...others], async (attempted) => {
          const rest = remainingCall(call, written, usage.completion_tokens, attempted.deployment)
          if (rest === undefined) throw new Failure('unsupported', 'This upstream cannot continue an answer.')
          const segment = await continueWith(parts, rest, attempted)
          segments.push(segment)
          return segment.answer
        })
      },
    }),
    async usage() {
      const metered = await sumOf(segments)
      // Answers that broke off reported at most a part of their usage.
      return { ...metered, estimated: metered.estimated || segments.length > 1 }
    },
  }
}

/** The final chunk that the upstream did not send. */
function ended(answer: Answer, { kind, id, model }: Call): Answer {
  const choice: Choice = {
    index: 0,
    ...(kind === 'text' ? { text: '' } : { delta: {} }),
    finish_reason: 'length',
  }
  const object = kind === 'text' ? 'text_completion' : 'chat.completion.chunk'
  const chunk: Chunk = { id, object, created: 0, model, choices: [choice] }
  return { ...answer, bursts: [[JsonText.of(chunk)]] }
}

type Segment = { readonly answer: Answer; readonly meter: Meter }

async function continueWith(
  { counter, account }: ResumeParts,
  rest: Call,
  parts: AttemptParts,
): Promise<Segment> {
  const meter = createMeter(rest, counter)
  account.follow(parts.part, meter)
  const answer = await attempt({ ...parts, call: rest, meter, isResumed: true })
  return { answer, meter }
}

/** Every other deployment of the plan once, untried ones first, at most as many as attempts are left. */
function deploymentsLeft(
  plan: Plan,
  attempts: readonly AttemptRecord[],
  broken: ReadonlySet<string>,
): readonly Deployment[] {
  const tried = new Set(attempts.map(({ deployment }) => deployment))
  const others = [...new Set(plan)].filter(({ id }) => !broken.has(id))
  const inOrder = [...others.filter(({ id }) => !tried.has(id)), ...others.filter(({ id }) => tried.has(id))]
  // The loser of a hedge was not part of the plan.
  const made = attempts.filter(({ outcome }) => outcome !== 'superseded')
  return inOrder.slice(0, Math.max(0, plan.length - made.length))
}

async function sumOf(segments: readonly Segment[]): Promise<MeteredUsage> {
  const settled = await Promise.all(segments.map(({ answer, meter }) => meter.settle(answer.usage())))
  return {
    usage: addUsage(settled.map(({ usage }) => usage)),
    estimated: settled.some(({ estimated }) => estimated),
  }
}

type ContinuedParts = {
  readonly first: Answer
  /** The caller's signal: once it has aborted, nothing is continued. */
  readonly signal: CallSignal
  /**
   * Continues the answer at another deployment, after `written`; undefined if there is no other, or none that can.
   * Rejects with a Failure when all failed.
   */
  readonly resume: (broken: Answer, written: string) => Promise<Answer | undefined>
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
  #written: string[] = []
  #saidLength = 0
  #answer: Answer
  #bursts: AsyncIterator<readonly Delta[], undefined>
  #identity: ChunkIdentity | undefined
  #isResumed = false
  /** The answer contains something after which it cannot be continued. */
  #isPastResuming = false

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
    const written = this.#written.join('')
    if (this.#isPastResuming || written === '' || this.#parts.signal.aborted || !mayContinue(failure))
      throw thrown
    const answer = await this.#parts.resume(this.#answer, written).catch((reason: unknown) => {
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
      if (text && !this.#isPastResuming) {
        this.#written.push(text)
        this.#saidLength += text.length
      }
      this.#isPastResuming ||= choice.finish_reason !== null || isMoreThanText(choice.delta)
    }
    if (this.#saidLength > mostCharacters) this.#isPastResuming = true
    if (this.#isPastResuming) this.#written = []
  }

  /** Rewrites the other upstream's deltas as if the first one had continued. */
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
function mayContinue({ blame }: Failure): boolean {
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
