import type { CallCost } from '../account/call-cost.ts'
import { createMeter, type Meter, type MeteredUsage } from '../account/meter.ts'
import { type Answer, attempt, type Bursts } from '../attempt/attempt.ts'
import type { AttemptParts } from '../attempt/open-attempt.ts'
import type { Call, Choice, Chunk } from '../model/call.ts'
import type { CallSignal } from '../model/call-signal.ts'
import { Failure } from '../model/failure.ts'
import { JsonText } from '../model/json/json-text.ts'
import type { Deployment, TokenCounter } from '../model/ports.ts'
import type { AttemptRecord, CallRecord } from '../model/record/record.ts'
import { addUsage } from '../model/usage/usage.ts'
import type { Plan } from '../plan/router.ts'
import { continued } from './continuation.ts'
import { remainingCall, tokensLeft } from './remainder.ts'

export type ResumeParts = {
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
  /** Walks a plan with attempts made this way. */
  readonly walk: (plan: Plan, make: (parts: AttemptParts) => Promise<Answer>) => Promise<Answer>
}

/** One stream over an answer and its continuations. */
export type ResumableStream = {
  readonly bursts: Bursts
  /** Summed over all of them, each with the prompt that it was given. */
  usage(): Promise<MeteredUsage>
}

/** Continues a stream elsewhere when it breaks off, as often as the plan has attempts left. */
export function resumableStream(parts: ResumeParts): ResumableStream {
  const { call, first, meter, record } = parts
  const legs: Leg[] = [{ answer: first, meter }]
  const broken = new Set<string>()
  return {
    bursts: continued({
      first,
      signal: parts.signal,
      async resume(answer, said) {
        broken.add(answer.deployment.id)
        if (parts.isOver()) return undefined
        const { usage, estimated } = await sumOf(legs)
        // By the upstreams' own counts no tokens are left: the answer had reached its bound.
        if (!estimated && (tokensLeft(call, usage.completion_tokens) ?? 1) <= 0) return ended(answer, call)
        const able = (deployment: Deployment) =>
          remainingCall(call, said, usage.completion_tokens, deployment) !== undefined
        const plan = placesLeft(parts.plan, record.attempts, broken).filter(able)
        const [next, ...others] = plan
        if (next === undefined) return undefined
        record.flags.add('continued')
        return await parts.walk([next, ...others], async (attempted) => {
          const rest = remainingCall(call, said, usage.completion_tokens, attempted.deployment)
          if (rest === undefined) throw new Failure('unsupported', 'This upstream cannot continue an answer.')
          const leg = await takeUp(parts, rest, attempted)
          legs.push(leg)
          return leg.answer
        })
      },
    }),
    async usage() {
      const metered = await sumOf(legs)
      // Those that broke off reported at most a part.
      return { ...metered, estimated: metered.estimated || legs.length > 1 }
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

type Leg = { readonly answer: Answer; readonly meter: Meter }

async function takeUp({ counter, account }: ResumeParts, rest: Call, parts: AttemptParts): Promise<Leg> {
  const meter = createMeter(rest, counter)
  account.follow(parts.part, meter)
  const answer = await attempt({ ...parts, call: rest, meter, isResumed: true })
  return { answer, meter }
}

/** Every other deployment of the plan once, untried ones first, at most as many as attempts are left. */
function placesLeft(
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

async function sumOf(legs: readonly Leg[]): Promise<MeteredUsage> {
  const settled = await Promise.all(legs.map(({ answer, meter }) => meter.settle(answer.usage())))
  return {
    usage: addUsage(settled.map(({ usage }) => usage)),
    estimated: settled.some(({ estimated }) => estimated),
  }
}
